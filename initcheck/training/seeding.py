"""Every stream's seed is derived by name from one root seed."""

import hashlib
import json

DEFAULT_SEED = 20260101

# TensorFlow takes seeds modulo 2³¹ − 2 or so: s and s + 2³¹ − 2 give the same draws, and Keras 3.0 ignored 0.
# Derived seeds keep to 1 … 2³¹ − 3, where every version gives each its own stream.
_SEEDS = 2**31 - 3


def derive_seed(root: int, *names: str | int) -> int:
    """The seed of the stream that bears those names under that root seed, from 1 to 2³¹ − 3.

    The names decide it and nothing else: not the order of calls, the process or the machine.

    Args:
        root: The root seed, or an already derived seed.
        names: What the stream is for, from the general to the particular.
    """
    key = json.dumps([root, *names]).encode()
    return 1 + int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big") % _SEEDS


def run_seed(root: int, problem: str, initializer: str, reseed: int) -> int:
    """The integer that decides every draw of one run."""
    return derive_seed(root, problem, initializer, reseed)


def layer_seed(run: int, layer: str) -> int:
    """The seed of one layer's initializer within the run of that seed."""
    return derive_seed(run, layer, "kernel")
