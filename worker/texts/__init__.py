"""The texts of campaigns, pure: written in Liquid, checked while writing, rendered by the million.

``authoring`` reads what an author wrote and finds what is wrong with it; ``rendering`` makes one
person's text; ``codes`` are the short links. No clock, no chance, no I/O.
"""
