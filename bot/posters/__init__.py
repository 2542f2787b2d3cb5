"""Posters: one layout, computed from real letters, drawn as SVG, PDF and PNG."""
