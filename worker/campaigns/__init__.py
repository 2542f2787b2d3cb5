"""Campaigns: planned as rows, sent in batches, each text at most once and none after a STOP.

``drain`` is what a wake-up or the ticker runs. ``planning`` writes the recipients; ``batch`` is the
protocol (claim and commit, fence and check, hand over, settle and commit); ``checking`` asks the
policy and makes the texts; ``outcomes`` says what an answer of the carrier means.
"""
