"""The documented arithmetic in NumPy: networks, layers, optimizers, tasks, and the bounds of their rounding errors."""
