"""Libraries that have initializers and are not Keras: a file each. A user's own is described in the same way."""
