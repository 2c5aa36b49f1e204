"""Compares the runs of two sweeps, before and after a change of the user's own."""
