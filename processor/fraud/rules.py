"""Fraud rules: from the documents people write to the bit masks the engine weighs with.

A rule names *groups* of words and entities and says which of them must come together. A group is true of a message
when one of its literals or entities stands in it. Compiling gives one bit to each shared group with literals, to each
rule's own group with literals, to each entity kind and to each `near` clause; a group then is a mask ("any of these
bits"), and every clause is a test on the bits of the messages in reach. Bits change from ruleset to ruleset; what is
remembered of a message is therefore kept by each bit's *key*, a hash of its name that never changes.

Four shared groups are special, and may be absent:
`warning`      makes a message a notice, which fires nothing
`inquiry`      makes it a question whether something is a fraud
`strong`       together with a url, bank card or wallet, takes a warning's effect away
`reassurance`  "this is no fraud": a warning or inquiry that lies within such a phrase does not count
"""

from processor.fraud.reading import parse_rule
from processor.fraud.rule import Rule

__all__ = ["Rule", "parse_rule"]
