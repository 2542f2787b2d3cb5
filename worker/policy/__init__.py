"""May a text go now, and what follows when not: pure functions. ``now`` is an argument."""
