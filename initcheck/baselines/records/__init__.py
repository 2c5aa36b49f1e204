"""What a baseline holds, and its file."""
