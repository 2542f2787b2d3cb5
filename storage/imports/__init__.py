"""Imports: a file's jobs and rows (``jobs``), and its people written by the thousand (``batch``).

A batch is one transaction with the part's position in it, so an import that dies is taken up where
it was committed and enters nobody twice. New people, who are nearly all, are written by COPY with
ledger entries cast in moulds (``moulds``); people who are known go the ordinary way. Both make the
same rows, byte for byte.
"""
