"""The documented arithmetic in NumPy: networks, layers, optimizers, tasks, and what rounding may do to it."""
