"""Tests of the service's face."""
