"""What money or contact can flow through: one module for each family of entities.

A detector takes a text in which look-alike characters are folded one to one (`spelling`), so offsets stay those of
the original, and yields what it finds as `Found`. All patterns are bounded, so time grows with length alone, and none
reaches over a line's end: `entities.HINT` is run over many texts joined by line ends.
"""
