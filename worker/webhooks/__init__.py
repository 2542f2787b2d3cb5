"""Webhooks to a shop's own systems: fed from what happened, signed, delivered, tried again."""
