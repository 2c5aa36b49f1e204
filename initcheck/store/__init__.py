"""Finished runs of sweeps on disk: each whole or absent, found again by the question that they answer."""
