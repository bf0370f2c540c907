"""How well fraud is found: the corpus through the judge that the worker runs, and what came of it."""
