"""Validates a problem before any training: its table, its model, loss and optimizer."""
