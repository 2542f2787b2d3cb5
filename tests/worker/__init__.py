"""Tests of what happens outside a request."""
