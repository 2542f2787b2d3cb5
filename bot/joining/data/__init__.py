"""What forms say, by language."""
