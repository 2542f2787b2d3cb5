"""PostgreSQL through SQLAlchemy: one module per subject, its tables and its queries together.

The texts' own path (``conversation``, ``ledger``) speaks to psycopg directly, in few statements
for many texts at once; everything else uses sessions. Nothing here commits but ``transaction``.
"""
