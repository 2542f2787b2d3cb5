"""Carrying out imports: reading files as streams, in one process for each core."""
