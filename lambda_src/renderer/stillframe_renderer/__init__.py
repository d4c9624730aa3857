"""The function that renders: one SQS batch in, images and records out."""
