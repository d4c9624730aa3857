"""The HTTP API: a function behind API Gateway that accepts requests and answers what became of them."""
