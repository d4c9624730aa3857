"""How many captures run at once, and what each of them costs."""
