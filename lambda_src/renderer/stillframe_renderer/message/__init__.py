"""How a message is processed: claim, render, store, complete."""
