"""Everything that happens outside a request: wake-ups, sending, the ticker and its sweeps."""
