"""The rules of the conversation."""
