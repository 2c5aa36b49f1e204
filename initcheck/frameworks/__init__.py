"""The port: what is under test, how it is loaded, asked for draws, seeded and kept quiet."""
