"""Attacks on the matching: terms as evaders write them, judged by the real judge, and counted.

Nothing here knows how the matcher works; the tables are made apart from its own (`data/SOURCES.md`), so that what is
found means something.
"""
