"""The face of the service: webhooks, admin API, simulator, and the ``assent`` command.

Requests come in here, are checked, and are handed to ``storage`` and ``worker``; nothing below
this package knows Flask.
"""
