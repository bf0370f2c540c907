"""Attacks on the matching: terms as evaders write them, judged by the real judge, and counted.

Nothing here knows how the matcher works; its tables come from other data (see `tables`), so that what it finds means
something.
"""
