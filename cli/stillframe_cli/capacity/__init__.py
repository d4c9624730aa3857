"""The capacity guide: how many workers a load needs, of which size, at what cost, and which limit binds first."""
