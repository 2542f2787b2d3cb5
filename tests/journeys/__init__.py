"""Promises made to people, kept from the first text to the ledger."""
