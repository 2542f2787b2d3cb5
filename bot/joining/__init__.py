"""Opting in on the web: the hosted form, the same form on a shop's own page, and their defence.

``GET`` shows, ``POST`` asks: no consent changes by opening a page. What a form records waits for
YES by text like every other opt-in (``storage.optins``).
"""
