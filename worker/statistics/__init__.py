"""Figures, and how sure we can be of them: pure functions of counts."""
