"""Webhooks: events of screenshots, posted to whoever wants to know, signed by the Standard Webhooks specification."""
