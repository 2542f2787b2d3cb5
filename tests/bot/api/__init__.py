"""Tests of the admin API, on a real PostgreSQL."""
