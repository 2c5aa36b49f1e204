"""Two baselines compared, cell by cell."""
