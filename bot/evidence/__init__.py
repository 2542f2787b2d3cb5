"""Evidence about one person, for a court, an authority or the person: a zip that proves itself.

``storage.evidence`` reads what is held, ``document`` makes the one JSON of it, ``page`` and
``paper`` show that JSON as HTML and PDF, ``records`` writes it as ISO/IEC TS 27560 has it, and
``bundle`` puts all of it into one zip with proofs and ``verify.py``, which needs nothing of ours.
"""
