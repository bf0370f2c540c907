"""Fraud: what a message says of money, contact and haste, weighed against rules over its conversation."""
