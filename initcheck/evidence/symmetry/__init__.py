"""The weights of hidden units along a training."""
