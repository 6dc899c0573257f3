"""Puts the parts together and runs them. It imports all; nobody imports it."""
