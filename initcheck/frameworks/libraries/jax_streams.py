"""Keys of ``jax.random`` that are made of one, and what is drawn with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.library import LibraryStreams

_SIDE, _PLACES = 64, 10
_MANY = 300  # more than a counter of eight bits tells apart
_DOCS = "https://docs.jax.dev/en/latest/_autosummary/jax.random"


def normals(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """A normal matrix for each key."""
    jax = load_library("jax")
    return {name: as_array(jax.random.normal(key, (_SIDE, _SIDE))) for name, key in keys.items()}


def _split(random: Any, key: Any) -> Mapping[str, Any]:
    return {f"split(key)[{number}]": one for number, one in enumerate(random.split(key, _PLACES))}


def _split_many(random: Any, key: Any) -> Mapping[str, Any]:
    return {f"split(key, {_MANY})[{number}]": one for number, one in enumerate(random.split(key, _MANY))}


def _split_to_shape(random: Any, key: Any) -> Mapping[str, Any]:
    """Keys as a matrix."""
    keys = random.split(key, (3, 4))
    return {f"split(key, (3, 4))[{row}, {column}]": keys[row, column] for row in range(3) for column in range(4)}


def _split_again(random: Any, key: Any) -> Mapping[str, Any]:
    """Keys of two generations, none of which was split itself: each pair's first is drawn with, its second split."""
    keys = {}
    for number in range(_PLACES):
        first, key = random.split(key)
        keys[f"the first key of split {number}"] = first
    return keys


def _folded(random: Any, key: Any) -> Mapping[str, Any]:
    numbers = [*range(_PLACES), *(2**bit for bit in range(4, 32)), 2**24 + 1, 2**32 - 1]
    return {f"fold_in(key, {number})": random.fold_in(key, number) for number in numbers}


def _split_and_folded(random: Any, key: Any) -> Mapping[str, Any]:
    """Keys of both kinds, of one key."""
    keys = {f"split(key)[{number}]": one for number, one in enumerate(random.split(key, _PLACES // 2))}
    return keys | {f"fold_in(key, {number})": random.fold_in(key, number) for number in range(_PLACES // 2)}


def _folded_twice(random: Any, key: Any) -> Mapping[str, Any]:
    return {
        f"fold_in(fold_in(key, {one}), {other})": random.fold_in(random.fold_in(key, one), other)
        for one, other in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1), (0, 0), (1, 1), (2, 2), (1, 11), (11, 1))
    }


def _streams(name: str, make: Callable[[Any, Any], Mapping[str, Any]], sentence: str, page: str) -> LibraryStreams:
    def draw(seed: int) -> Mapping[str, Any]:
        random = load_library("jax").random
        return normals(make(random, random.key(seed)))

    return LibraryStreams(name, draw, sentence, f"{_DOCS}.{page}.html")


def _old_keys(seed: int) -> Mapping[str, Any]:
    """Keys of the older kind, arrays of words, whose seeds differ in a bit or, where they carry, in several."""
    random = load_library("jax").random
    return normals({f"PRNGKey(seed + 2^{bit})": random.PRNGKey((seed + 2**bit) % 2**32) for bit in range(1, 32)})


_FOLDS = "a new PRNG key that … is statistically safe for producing a stream of new pseudo-random values"
STREAMS = (
    _streams("split", _split, "splits a PRNG key into num new keys", "split"),
    _streams("split-many", _split_many, "splits a PRNG key into num new keys", "split"),
    _streams(
        "split-to-shape", _split_to_shape, "num: … (or tuple of integers) … the number (or shape) of keys", "split"
    ),
    _streams("split-again", _split_again, "splits a PRNG key into num new keys", "split"),
    _streams("fold_in", _folded, _FOLDS, "fold_in"),
    _streams("split-and-fold_in", _split_and_folded, _FOLDS, "fold_in"),
    _streams("fold_in-twice", _folded_twice, _FOLDS, "fold_in"),
    LibraryStreams(
        "PRNGKey",
        _old_keys,
        "seed: a 64- or 32-bit integer used as the value of the key",
        f"{_DOCS}.PRNGKey.html",
    ),
)
