"""The records of a baseline, and its file."""
