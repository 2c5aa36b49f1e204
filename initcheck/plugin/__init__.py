"""The pytest plugin: checks and baselines as tests."""
