"""The image: what rendering returns, and the object that it becomes in the bucket."""
