"""Two environments: where their requirements come from, how they are built, what they record."""
