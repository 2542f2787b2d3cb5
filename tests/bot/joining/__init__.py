"""Tests of the forms on the web."""
