"""Evidence on repeatability: draws, random functions, global seeds, and trainings with their traces."""
