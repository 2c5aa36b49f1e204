"""A comparison of two baselines as page, Markdown, JSON and sentences."""
