"""Evidence of what happens at every step: losses, metrics, optimizers, callbacks."""
