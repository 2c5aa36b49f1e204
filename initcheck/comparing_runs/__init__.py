"""What a change of the user's own did: the runs of two sweeps side by side."""
