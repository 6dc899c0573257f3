"""By how much two clocks differ, as far as that is certain."""

from datetime import datetime, timedelta

# More than this is said aloud: families compare the second on which results open.
TOLERANCE = timedelta(milliseconds=200)


def certain_difference(before: datetime, theirs: datetime, after: datetime) -> timedelta:
    """Our clock minus another one, which was read somewhere between two looks at ours; zero if they may agree."""
    if before <= theirs <= after:
        return timedelta()
    return before - theirs if theirs < before else after - theirs
