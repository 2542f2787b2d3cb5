"""What goes wrong when an engine is started."""


class EngineError(Exception):
    """PostgreSQL or Valkey cannot run here: one sentence that says why and what to do."""
