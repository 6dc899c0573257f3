"""The answer to a lookup as bytes: JSON and pages, spliced from what an exam's answers have in common."""
