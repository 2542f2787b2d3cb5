"""Tests of reading lists of people."""
