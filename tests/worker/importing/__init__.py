"""Tests of carrying out imports."""
