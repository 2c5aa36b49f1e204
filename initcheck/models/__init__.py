"""A user's own model as it is: its weights, whether its training repeats, and why not."""
