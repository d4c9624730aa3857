"""The renderer function: one SQS batch in, images and records out."""
