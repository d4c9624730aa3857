"""One run of `shoot` or `demo`: what it captures, where it saves it, how it is interrupted and continued."""
