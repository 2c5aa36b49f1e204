"""Evidence: the only rooms that import keras or tensorflow."""
