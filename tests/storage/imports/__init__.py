"""Tests of imports in the database."""
