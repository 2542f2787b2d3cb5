"""Campaigns on a real database, with the simulator as the carrier."""
