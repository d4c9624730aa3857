"""Each defence, how to remove it from the code, and the test that must fail without it."""
