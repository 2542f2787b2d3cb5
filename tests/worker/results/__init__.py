"""Tests of what reports are made of."""
