"""Rulesets: read, validate, publish, watch, compile off the loop, swap."""
