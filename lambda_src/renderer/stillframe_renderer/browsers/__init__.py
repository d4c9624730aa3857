"""The warm browsers: a pool that replaces broken ones, and a synchronous way to render with it."""
