"""Evidence recorded: in this process, or in parts by several."""
