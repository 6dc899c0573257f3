"""Whole lists of units in a file: read, checked row by row, compared with what is on record, taken whole."""
