"""Tests of the pure rules of sending."""
