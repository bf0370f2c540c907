"""Text to hits: folding with an offset map, automata, word boundaries. Pure."""
