"""The rules of the conversation: given this text and this person, what follows?

Everything in this package is pure. There is no clock, network, database or environment here;
the present moment is an argument, and the word lists are data files beside the code, each with
a version, a source and the date on which it was checked.
"""
