"""PyTorch: ``torch.nn.init``, and the default weights of ``torch.nn``.

torch keeps kernels ``(outputs, inputs, *window)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from initcheck.catalog.initializers import Initializer, with_arguments
from initcheck.catalog.laws import (
    Constant,
    Family,
    Identity,
    Law,
    Mode,
    Orthogonal,
    Shape,
    VarianceScaled,
    around,
)
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.library import Library
from initcheck.frameworks.libraries.torch_layers import LAYERS, STREAMS

_DOCS = "https://docs.pytorch.org/docs/stable/nn.init.html"


def _row(made_by: str, law: Law, dtypes: tuple[str, ...] = (), **config: Any) -> Initializer:
    if config:
        return with_arguments(made_by, law, _DOCS, config, dtypes)
    return Initializer(made_by, made_by, law, _DOCS, dtypes=dtypes)


def _scaled(scale: float, mode: Mode, family: Family) -> VarianceScaled:
    return VarianceScaled(scale, mode, family, least_axes=2)


# torch.linalg.qr documents float, double, cfloat and cdouble.
_OF_QR = ("float32", "float64")
ROWS = (
    _row("zeros_", Constant(0.0)),
    _row("ones_", Constant(1.0)),
    _row("constant_", Constant(-1.25), val=-1.25),
    _row("eye_", Identity()),
    _row("uniform_", around("uniform", 0.5, 0.5)),
    _row("uniform_", around("uniform", 0.4, 0.7), a=-0.3, b=1.1),
    _row("normal_", around("normal", 0.0, 1.0)),
    _row("normal_", around("normal", -0.4, 1.7), mean=-0.4, std=1.7),
    _row("trunc_normal_", around("truncated_normal", 0.0, 1.0)),
    _row("trunc_normal_", around("truncated_normal", 0.7, 3.0), mean=0.7, std=3.0, a=-5.3, b=6.7),
    # "Values outside [a, b] redrawn": its limits are values, so that ±2 cuts nothing off that is 100 σ away,
    _row("trunc_normal_", around("normal", 0.0, 0.02), std=0.02),
    # and each is one by itself: from −0.3 to 1.1 the density of σ = 1000 is level but for 6e-7 of it.
    _row("trunc_normal_", around("uniform", 0.4, 0.7), std=1000.0, a=-0.3, b=1.1),
    _row("xavier_uniform_", _scaled(1.0, "fan_avg", "uniform")),
    _row("xavier_uniform_", _scaled(25 / 9, "fan_avg", "uniform"), gain=5 / 3),
    _row("xavier_normal_", _scaled(1.0, "fan_avg", "normal")),
    _row("xavier_normal_", _scaled(25 / 9, "fan_avg", "normal"), gain=5 / 3),
    _row("kaiming_uniform_", _scaled(2.0, "fan_in", "uniform")),
    _row("kaiming_uniform_", _scaled(1.0, "fan_out", "uniform"), mode="fan_out", nonlinearity="linear"),
    # The gain of relu is √2, of leaky_relu √(2/(1 + slope²)), of sigmoid 1, of tanh 5/3, of selu 3/4: the table of
    # calculate_gain.
    _row("kaiming_uniform_", _scaled(2 / 1.09, "fan_in", "uniform"), a=0.3),
    _row("kaiming_uniform_", _scaled(1.0, "fan_in", "uniform"), nonlinearity="sigmoid"),
    _row("kaiming_normal_", _scaled(2.0, "fan_in", "normal")),
    _row("kaiming_normal_", _scaled(2.0, "fan_out", "normal"), mode="fan_out"),
    _row("kaiming_normal_", _scaled(2 / 1.25, "fan_in", "normal"), a=0.5),
    _row("kaiming_normal_", _scaled(2.0, "fan_in", "normal"), nonlinearity="relu"),
    _row("kaiming_normal_", _scaled(25 / 9, "fan_in", "normal"), nonlinearity="tanh"),
    _row("kaiming_normal_", _scaled(9 / 16, "fan_in", "normal"), nonlinearity="selu"),
    _row("orthogonal_", Orthogonal(), _OF_QR),
    _row("orthogonal_", Orthogonal(2.5), _OF_QR, gain=2.5),
)


def draw(row: Initializer, shape: Shape, seed: int | None, dtype: str) -> Any:
    """The draw of a function of ``torch.nn.init`` with a generator of that seed, or with the global one."""
    torch = load_library("torch")
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    kept = shape if len(shape) < 2 or isinstance(row.law, Identity) else (shape[-1], shape[-2], *shape[:-2])
    tensor = torch.empty(kept, dtype=getattr(torch, dtype))
    given = {"generator": generator} if row.law.random else {}
    with torch.no_grad():
        getattr(torch.nn.init, str(row.made_by))(tensor, **row.config, **given)
    values = as_array(tensor)
    return values if kept == shape else np.moveaxis(values, (0, 1), (-1, -2))


LIBRARY = Library(
    name="torch",
    packages=("torch", "numpy"),
    rows=ROWS,
    draw=draw,
    dtypes=("float32", "float64", "float16", "bfloat16"),
    # "Value must be within the inclusive range [-0x8000_0000_0000_0000, 0xffff_ffff_ffff_ffff]":
    # https://docs.pytorch.org/docs/stable/generated/torch.Generator.html
    seeds=(-(2**63), 2**64 - 1),
    unseeded=True,
    like={
        "xavier_uniform_": "glorot_uniform",
        "xavier_normal_": "glorot_normal",
        "kaiming_uniform_": "he_uniform",
        "kaiming_normal_": "he_normal",
        "normal_": "random_normal",
        "uniform_": "random_uniform",
        "trunc_normal_": "truncated_normal",
        "orthogonal_": "orthogonal",
        "zeros_": "zeros",
        "ones_": "ones",
        "eye_": "identity",
    },
    layers=LAYERS,
    streams=STREAMS,
)
