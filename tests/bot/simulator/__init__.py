"""Tests of the local carrier and its phone page."""
