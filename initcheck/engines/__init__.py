"""Training: ``fit`` one run at a time, the truth, and an ensemble of many runs at once that must match it."""
