"""Faults put into the framework on purpose, to prove that the checks see them; and harmless changes that must pass."""
