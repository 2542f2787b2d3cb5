"""Benches: each prints its figures beside its floors, so that a ratio can be read anywhere."""
