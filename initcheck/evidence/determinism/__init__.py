"""Evidence on what repeats: draws, random functions, global seeds, and trainings with their traces."""
