"""Layers that a user writes, models of every documented structure, and what is kept of them in files."""
