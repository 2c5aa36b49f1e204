"""What training over many reseeds costs, side by side with the alternatives: ``python -m benchmarks``."""
