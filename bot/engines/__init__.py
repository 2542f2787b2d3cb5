"""PostgreSQL and Valkey on this machine, started and looked after by us.

Used where DATABASE_URL or REDIS_URL is unset, and by the tests. docs/decisions/0001 says why.
"""
