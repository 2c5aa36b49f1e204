"""Keys of ``jax.random`` that are made of one, and what is drawn with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.library import LibraryStreams

_SIDE, _PLACES = 64, 10
_DOCS = "https://docs.jax.dev/en/latest/_autosummary/jax.random"


def normals(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """A normal matrix for each key."""
    jax = load_library("jax")
    return {name: as_array(jax.random.normal(key, (_SIDE, _SIDE))) for name, key in keys.items()}


def _split(random: Any, key: Any) -> Mapping[str, Any]:
    return {f"split(key)[{number}]": one for number, one in enumerate(random.split(key, _PLACES))}


def _split_again(random: Any, key: Any) -> Mapping[str, Any]:
    """Keys of two generations, none of which was split itself: each pair's first is drawn with, its second split."""
    keys = {}
    for number in range(_PLACES):
        first, key = random.split(key)
        keys[f"the first key of split {number}"] = first
    return keys


def _folded(random: Any, key: Any) -> Mapping[str, Any]:
    return {f"fold_in(key, {number})": random.fold_in(key, number) for number in (*range(_PLACES), 2**31, 2**32 - 1)}


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


_FOLDS = "a new PRNG key that … is statistically safe for producing a stream of new pseudo-random values"
STREAMS = (
    _streams("split", _split, "splits a PRNG key into num new keys", "split"),
    _streams("split-again", _split_again, "splits a PRNG key into num new keys", "split"),
    _streams("fold_in", _folded, _FOLDS, "fold_in"),
    _streams("split-and-fold_in", _split_and_folded, _FOLDS, "fold_in"),
    _streams("fold_in-twice", _folded_twice, _FOLDS, "fold_in"),
)
