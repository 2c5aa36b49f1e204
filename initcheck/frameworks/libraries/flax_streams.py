"""Streams of Flax: parameters of linen at their paths, and keys of ``nnx.Rngs``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.flax_laws import flat
from initcheck.frameworks.libraries.jax_streams import normals
from initcheck.frameworks.libraries.library import LibraryStreams

_SIDE, _PLACES = 64, 10
_MANY = 300  # more than a counter of eight bits tells apart
_MAPPED = "split PRNG sequences will be different for each index of the batch dimension"
_TRANSFORMS = "https://flax.readthedocs.io/en/latest/api_reference/flax.linen/transformations.html"
_LINEN = "https://flax.readthedocs.io/en/latest/api_reference/flax.linen/module.html"
_RNGS = "https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/rnglib.html"
_EVERY = "every call to make_rng returns a new RNG key, while still guaranteeing full reproducibility"
_UNIQUE = "RngStream, which are used to easily generate new unique random keys on demand"
# Modules of two levels. Written without a separator, some of these paths are one: h1/10 and h11/0.
_PATHS = ("h1/10", "h11/0", "h1/1", "h11/1", "h/1", "h/11", "a/bc", "b/ca", "ab/c", "abc/d", "1/a1", "1a/1")


def _at_paths(seed: int) -> Mapping[str, Any]:
    """The kernels of equal layers that differ in their paths alone."""
    jax = load_library("jax")
    load_library("flax")
    from flax import linen as nn

    class Branch(nn.Module):  # type: ignore[misc] # Flax is loaded at run time
        leaves: tuple[str, ...]

        @nn.compact  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return sum(nn.Dense(_SIDE, use_bias=False, name=leaf)(x) for leaf in self.leaves)

    class Tree(nn.Module):  # type: ignore[misc]
        branches: tuple[tuple[str, tuple[str, ...]], ...]

        @nn.compact  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return sum(Branch(leaves, name=name)(x) for name, leaves in self.branches)

    tree: dict[str, list[str]] = {}
    for branch, leaf in (path.split("/") for path in _PATHS):
        tree.setdefault(branch, []).append(leaf)
    branches = tuple((name, tuple(leaves)) for name, leaves in tree.items())
    made = Tree(branches).init(jax.random.key(seed), jax.numpy.zeros((1, _SIDE)))["params"]
    return {path: as_array(made[branch][leaf]["kernel"]) for path in _PATHS for branch, leaf in [path.split("/")]}


def _in_one_module(seed: int) -> Mapping[str, Any]:
    """Parameters of one module, of which it has many, and what is drawn by keys of its ``make_rng``."""
    jax = load_library("jax")
    load_library("flax")
    from flax import linen as nn

    class Many(nn.Module):  # type: ignore[misc]
        @nn.compact  # type: ignore[untyped-decorator]
        def __call__(self) -> Any:
            shape = (_SIDE, _SIDE)
            for name in ("a", "b", "a1", "a11", "1"):
                self.param(name, nn.initializers.normal(1.0), shape)
            return {
                f"call {number} of make_rng({stream!r})": jax.random.normal(self.make_rng(stream), shape)
                for number in range(3)
                for stream in ("params", "dropout")
            }

    params, dropout = jax.random.split(jax.random.key(seed))
    drawn, variables = Many().init_with_output({"params": params, "dropout": dropout})
    return {name: as_array(one) for name, one in (variables["params"] | drawn).items()}


def _deep(seed: int) -> Mapping[str, Any]:
    """The kernels of equal layers four levels down, whose paths differ in each level."""
    jax = load_library("jax")
    load_library("flax")
    from flax import linen as nn

    class Level(nn.Module):  # type: ignore[misc] # Flax is loaded at run time
        below: int

        @nn.compact  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            if not self.below:
                return nn.Dense(_SIDE, use_bias=False, name="layer")(x)
            return sum(Level(self.below - 1, name=name)(x) for name in ("left", "right"))

    made = Level(4).init(jax.random.key(seed), jax.numpy.zeros((1, _SIDE)))["params"]
    return {path.removesuffix(".layer.kernel"): kernel for path, kernel in flat(made).items()}


def _mapped(seed: int) -> Mapping[str, Any]:
    """The kernels of a layer that is mapped over an axis, each index with a key of its own."""
    jax = load_library("jax")
    load_library("flax")
    from flax import linen as nn

    mapped = nn.vmap(nn.Dense, variable_axes={"params": 0}, split_rngs={"params": True})
    made = mapped(_SIDE, use_bias=False).init(jax.random.key(seed), jax.numpy.zeros((_PLACES, 1, _SIDE)))["params"]
    return {f"index {number}": values for number, values in enumerate(as_array(made["kernel"]))}


def _streams_of_rngs(nnx: Any, seed: int) -> Mapping[str, Any]:
    """Keys of several streams, each of a seed of its own; ``noise`` falls back to the default one."""
    rngs = nnx.Rngs(seed, params=seed + 10, dropout=seed + 20)  # apart from those of the neighbouring seed
    return {
        f"key {number} of {name}": getattr(rngs, name)()
        for number in range(4)
        for name in ("params", "dropout", "default", "noise")
    }


def _forks(nnx: Any, seed: int) -> Mapping[str, Any]:
    """Keys of a stream, of its forks and of forks of these."""
    rngs = nnx.Rngs(seed)
    one = rngs.fork()
    keys = {f"key {number} of the fork": one.default() for number in range(3)}
    keys |= {f"key {number}": rngs.default() for number in range(3)}
    other, inner = rngs.fork(), one.fork()
    keys |= {f"key {number} of the second fork": other.default() for number in range(3)}
    return keys | {f"key {number} of the fork's fork": inner.default() for number in range(3)}


def _long(nnx: Any, seed: int) -> Mapping[str, Any]:
    """Many keys of one stream."""
    rngs = nnx.Rngs(seed)
    return {f"key {number}": rngs.default() for number in range(_MANY)}


def _split(nnx: Any, seed: int) -> Mapping[str, Any]:
    """Keys of a stream that is split, and of the one that it was split from."""
    rngs = nnx.Rngs(seed)
    keys = {f"key of part {number}": key for number, key in enumerate(rngs.split(_PLACES).default.key[...])}
    return keys | {f"key {number}": rngs.default() for number in range(3)}


def _layers(seed: int) -> Mapping[str, Any]:
    """Kernels of layers of nnx that were made one after the other."""
    load_library("flax")
    from flax import nnx

    rngs = nnx.Rngs(seed)
    return {f"layer {number}": as_array(nnx.Linear(_SIDE, _SIDE, rngs=rngs).kernel[...]) for number in range(_PLACES)}


def _of_keys(name: str, make: Callable[[Any, int], Mapping[str, Any]]) -> LibraryStreams:
    def draw(seed: int) -> Mapping[str, Any]:
        load_library("flax")
        from flax import nnx

        return normals(make(nnx, seed))

    return LibraryStreams(name, draw, _UNIQUE, _RNGS)


STREAMS = (
    LibraryStreams("linen-paths", _at_paths, _EVERY, _LINEN),
    LibraryStreams("linen-names", _in_one_module, _EVERY, _LINEN),
    LibraryStreams("linen-depth", _deep, _EVERY, _LINEN),
    LibraryStreams("linen-vmap", _mapped, _MAPPED, _TRANSFORMS),
    LibraryStreams("nnx-layers", _layers, _UNIQUE, _RNGS),
    _of_keys("nnx.Rngs", _streams_of_rngs),
    _of_keys("nnx.Rngs-forked", _forks),
    _of_keys("nnx.Rngs-many", _long),
    _of_keys("nnx.Rngs-split", _split),
)
