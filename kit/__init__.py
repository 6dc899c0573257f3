"""Tools without opinions: nothing in here knows what a score or a school is."""
