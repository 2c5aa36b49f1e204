"""The cost of training over many reseeds, side by side with the alternatives: ``python -m benchmarks``."""
