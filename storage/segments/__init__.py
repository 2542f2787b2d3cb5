"""Segments: saved conditions on people, which can be read as a sentence and counted at any time.

A condition is a small tree (``conditions``): leaves compare one field with a value, ``all``,
``any`` and ``not`` combine them. Each field is one row of a table (``fields``): what it may be
compared with, the SQL that does so, and the words that say it. Nothing a marketer writes becomes
SQL text; values travel as parameters.
"""
