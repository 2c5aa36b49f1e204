"""JAX: ``jax.nn.initializers``."""

from __future__ import annotations

import contextlib
from typing import Any

from initcheck.catalog.initializers import Initializer, with_arguments
from initcheck.catalog.laws import (
    Constant,
    Family,
    Law,
    Mode,
    Orthogonal,
    Shape,
    VarianceScaled,
    around,
)
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.jax_streams import STREAMS
from initcheck.frameworks.libraries.library import Library

_DOCS = "https://docs.jax.dev/en/latest/jax.nn.initializers.html"
_FANS: dict[str, tuple[float, Mode, Family]] = {
    "glorot_uniform": (1.0, "fan_avg", "uniform"),
    "glorot_normal": (1.0, "fan_avg", "truncated_normal"),
    "he_uniform": (2.0, "fan_in", "uniform"),
    "he_normal": (2.0, "fan_in", "truncated_normal"),
    "lecun_uniform": (1.0, "fan_in", "uniform"),
    "lecun_normal": (1.0, "fan_in", "truncated_normal"),
}
# Scales that no other row has, so that a lost or mistaken scale shows.
_SCALINGS: tuple[tuple[float, Mode, Family], ...] = (
    (0.3, "fan_in", "normal"),
    (1.3, "fan_out", "uniform"),
    (0.7, "fan_out", "truncated_normal"),
    (2.6, "fan_avg", "normal"),
)


def _row(made_by: str, law: Law, dtypes: tuple[str, ...] = (), **config: Any) -> Initializer:
    if config:
        return with_arguments(made_by, law, _DOCS, config, dtypes)
    return Initializer(made_by, made_by, law, _DOCS, dtypes=dtypes)


# jax.numpy.linalg.qr, as NumPy's, takes single and double precision.
_OF_QR = ("float32", "float64")
ROWS = (
    _row("zeros", Constant(0.0)),
    _row("ones", Constant(1.0)),
    _row("constant", Constant(-1.25), value=-1.25),
    _row("uniform", around("uniform", 0.005, 0.005)),
    _row("uniform", around("uniform", 0.7, 0.7), scale=1.4),
    _row("normal", around("normal", 0.0, 0.01)),
    _row("normal", around("normal", 0.0, 1.7), stddev=1.7),
    _row("truncated_normal", around("truncated_normal", 0.0, 0.01)),
    _row("truncated_normal", around("truncated_normal", 0.0, 3.0), stddev=3.0),
    # "Range lower · stddev < x < upper · stddev": 40 σ cut nothing off,
    _row("truncated_normal", around("normal", 0.0, 1.7), stddev=1.7, lower=-40.0, upper=40.0),
    # and each limit is one by itself: so near to 0 the density is level but for 6e-7 of it. Half precision rounds such
    # limits to three digits.
    _row(
        "truncated_normal",
        around("uniform", 0.4, 0.7),
        ("float32", "float64"),
        stddev=1000.0,
        lower=-0.0003,
        upper=0.0011,
    ),
    *(_row(name, VarianceScaled(*arguments, least_axes=2)) for name, arguments in _FANS.items()),
    *(
        _row(
            "variance_scaling",
            VarianceScaled(scale, mode, family, least_axes=2),
            scale=scale,
            mode=mode,
            distribution=family,
        )
        for scale, mode, family in _SCALINGS
    ),
    # Axes of inputs and outputs for each other: the fan of inputs is that of outputs of the usual ones.
    _row("he_uniform", VarianceScaled(2.0, "fan_out", "uniform", least_axes=2), in_axis=-1, out_axis=-2),
    # An "axis … that should be ignored" in place of that of the outputs: the number of inputs is the same.
    _row(
        "variance_scaling",
        VarianceScaled(0.9, "fan_in", "uniform", least_axes=2),
        scale=0.9,
        mode="fan_in",
        distribution="uniform",
        out_axis=(),
        batch_axis=-1,
    ),
    _row("orthogonal", Orthogonal(), _OF_QR),
    _row("orthogonal", Orthogonal(2.5), _OF_QR, scale=2.5),
)


def initializer(initializers: Any, row: Initializer) -> Any:
    """The function of that module, JAX's or Flax's, that takes a key, a shape and a dtype."""
    made = getattr(initializers, str(row.made_by))
    return made if isinstance(row.law, Constant) and not row.config else made(**row.config)


def draw(row: Initializer, shape: Shape, seed: int | None, dtype: str) -> Any:
    """The draw of an initializer with the key of that seed."""
    jax = load_library("jax")
    with double_precision(jax, dtype):
        return initializer(jax.nn.initializers, row)(jax.random.key(seed or 0), shape, dtype)


def double_precision(jax: Any, dtype: str) -> contextlib.AbstractContextManager[Any]:
    """Where doubles are asked for, JAX has to be told to have them."""
    if dtype != "float64":
        return contextlib.nullcontext()
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)  # type: ignore[no-any-return] # JAX is loaded at run time
    from jax import experimental  # where older releases have it

    return experimental.enable_x64()  # type: ignore[no-any-return] # the same


LIBRARY = Library(
    name="jax",
    packages=("jax", "jaxlib", "numpy"),
    rows=ROWS,
    draw=draw,
    dtypes=("float32", "float64", "float16", "bfloat16"),
    complex_dtype="complex64",
    # "seed: a 64- or 32-bit integer used as the value of the key":
    # https://docs.jax.dev/en/latest/_autosummary/jax.random.key.html
    seeds=(-(2**63), 2**63 - 1),
    like={
        row.name: row.name
        for row in ROWS
        if not row.config and row.name not in ("uniform", "normal", "truncated_normal")
    }
    | {"uniform": "random_uniform", "normal": "random_normal", "truncated_normal": "truncated_normal"},
    streams=STREAMS,
)
