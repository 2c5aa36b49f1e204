"""Baselines: the evidence of one environment in one file, and two of them compared."""
