"""The capacity guide as a program: how many, how large, how fast, how dear, and which limit binds first."""
