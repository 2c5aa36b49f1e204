"""Configurations, weights and models after a round trip."""
