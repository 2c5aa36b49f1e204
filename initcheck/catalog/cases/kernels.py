"""Kernels as layers create them, with the fans of the layers' units."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.laws import Mode
from initcheck.catalog.layers import LayerRequest, select
from initcheck.catalog.layers.traits.weights import Dims, FannedKernel, Places

CASES_PER_KIND = 3
CASE_SAMPLES = 10_000  # elements of one kernel, times the effort's factor

KINDS: Mapping[str, FannedKernel] = {kernel.name: kernel for kernel in select(FannedKernel)}
_QUIRKS = [(order, name, mode) for name, kernel in KINDS.items() for mode, order in kernel.quirks.items()]
# Where Keras has counted, or counts, the fans of the kernel's shape and not those of the layer's units.
QUIRKS: tuple[tuple[str, Mode], ...] = tuple(
    (name, mode) for _, name, mode in sorted(_QUIRKS, key=lambda quirk: quirk[0])
)


@dataclass(frozen=True)
class LayerCase:
    """One kernel of one layer.

    Attributes:
        request: The layer.
        argument: The initializer argument that decides the kernel.
        weight: The kernel's place among the layer's weights.
        fan_in: The number of inputs that each unit of the layer sums up.
        fan_out: The number of units that each input goes to, per window, counting a recurrent layer's gates as one.
    """

    request: LayerRequest
    argument: str
    weight: int
    fan_in: int
    fan_out: int


def layer_case(kernel: FannedKernel, dims: Dims) -> LayerCase:
    """The kernel in a layer of those dimensions."""
    made = kernel.make(dims)
    request = LayerRequest(kernel.layer, made.arguments, made.inputs)
    return LayerCase(request, kernel.argument, kernel.weight, made.fan_in, made.fan_out)


@functools.cache
def layer_cases(kind: str, size: int) -> tuple[LayerCase, ...]:
    """Drawn layers of that kind, whose kernels have ``size`` elements or up to a quarter more."""

    def make(stream: CaseStream) -> Dims:
        return Dims(
            window=(stream.integer(2, 5), stream.integer(1, 4), stream.integer(2, 3)),
            few=stream.integer(3, 8),
            more=stream.integer(2, 5),
            size=stream.integer(size, size + size // 4),
        )

    return tuple(layer_case(KINDS[kind], dims) for dims in draw_cases(make, CASES_PER_KIND, f"layers {kind}"))


def arguments_of(kind: str) -> Places:
    """The initializer arguments of a layer of that kind, each with its weight's place."""
    kernel = KINDS[kind]
    return ((kernel.argument, kernel.weight), *kernel.beside)
