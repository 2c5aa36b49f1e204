"""What a problem must be, checked before any training: its table, its model, loss and optimizer."""
