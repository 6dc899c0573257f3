"""The record: who did what, where it cannot be rewritten."""
