"""Approval by two: nothing becomes public that a second person has not looked at."""
