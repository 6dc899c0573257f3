"""What becomes of units by decision: founded, renamed, moved, merged, closed; nothing is forgotten."""
