"""Every stream's seed is derived by name from one root seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

DEFAULT_SEED = 20260101

# TensorFlow takes seeds modulo 2³¹ − 2 or so: s and s + 2³¹ − 2 give the same draws, and Keras 3.0 ignored 0.
# Derived seeds keep to 1 … 2³¹ − 3, where every version gives each its own stream.
_SEEDS = 2**31 - 3


def derive_seed(root: int, *names: str | int) -> int:
    """The seed of the stream named so under that root seed, from 1 to 2³¹ − 3.

    The names decide it and nothing else: not the order of calls, the process or the machine.

    Args:
        root: The root seed, or an already derived seed.
        names: The purpose of the stream, from the general to the particular.
    """
    return _as_seed(hashlib.blake2b(json.dumps([root, *names]).encode(), digest_size=8))


def run_seed(root: int, problem: str, initializer: str, reseed: int) -> int:
    """The integer that decides every draw of one run."""
    return derive_seed(root, problem, initializer, reseed)


def run_seeds(root: int, problem: str, initializer: str, reseeds: Iterable[int]) -> list[int]:
    """``run_seed`` of many reseeds at once: the same integers at a quarter of the time."""
    start = hashlib.blake2b(json.dumps([root, problem, initializer])[:-1].encode(), digest_size=8)
    seeds = []
    for reseed in reseeds:
        whole = start.copy()
        whole.update(b", %d]" % reseed)
        seeds.append(_as_seed(whole))
    return seeds


def layer_seed(run: int, layer: str) -> int:
    """The seed of one layer's initializer within the run of that seed."""
    return derive_seed(run, layer, "kernel")


def layer_seeds(runs: Iterable[int], layer: str) -> list[int]:
    """``layer_seed`` of many runs at once: the same integers at a quarter of the time."""
    end = json.dumps([0, layer, "kernel"])[2:].encode()
    return [_as_seed(hashlib.blake2b(b"[%d" % run + end, digest_size=8)) for run in runs]


def order_seed(root: int, problem: str, order: int) -> int:
    """The seed of the batch order of that number, where the order is varied."""
    return derive_seed(root, problem, "order", order)


def _as_seed(digest: hashlib.blake2b) -> int:
    return 1 + int.from_bytes(digest.digest(), "big") % _SEEDS
