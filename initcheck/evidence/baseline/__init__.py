"""Evidence that baselines record: draws, orders of rows, and trainings stage by stage."""
