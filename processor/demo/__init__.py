"""The demo: its traffic, its stage of real processes, and its script."""
