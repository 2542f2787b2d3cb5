"""Tests of figures and of how sure they are."""
