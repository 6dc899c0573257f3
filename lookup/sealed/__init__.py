"""Releases as sealed files: built, delivered to every node, opened at their second, answered from memory."""
