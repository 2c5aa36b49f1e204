"""Draws of initializers, and weights and noise as layers make them."""
