"""Tests of the texts of campaigns, without any server."""
