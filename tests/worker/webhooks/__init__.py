"""Webhooks to a shop's own systems."""
