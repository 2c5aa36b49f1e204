"""Estimates with their errors, tests, the error budget, and the lecture's questions answered."""
