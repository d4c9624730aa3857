"""How a message is processed: batch, capture, claim, job (render and store), outcome."""
