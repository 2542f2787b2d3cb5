"""Tests mirror the packages; journeys keep promises made to people, faults kill things."""
