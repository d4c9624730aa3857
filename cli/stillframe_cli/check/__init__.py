"""`check`: pages as they are against images of how they should be."""
