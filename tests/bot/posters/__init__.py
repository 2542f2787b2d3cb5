"""Posters: layout, files, pages."""
