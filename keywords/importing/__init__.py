"""Reading a list of people that another system wrote: columns, dates, rows, and what each lacks.

Pure: bytes and cells in, claims and reasons out. Files, processes and the database are elsewhere
(``worker.importing``, ``storage.imports``).
"""
