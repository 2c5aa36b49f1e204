"""The nets for the checks of symmetry, drawn or listed by their expected outcome."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from initcheck.catalog import optimizers
from initcheck.catalog.activations import ACTIVATIONS
from initcheck.catalog.cases.drawn import CaseStream, draw_cases
from initcheck.catalog.layers.noise import DROPOUT, GAUSSIAN_DROPOUT, GAUSSIAN_NOISE
from initcheck.catalog.optimizers import SMOOTH, Variant
from initcheck.catalog.recipes import Net

# Activations by their value at 0. Where it is not 0, a net of zeros learns: hidden outputs are not 0, so the output
# kernel gets a gradient, and through it each hidden layer in turn. Where it is 0, no kernel ever does.
MOVING = tuple(row.name for row in ACTIVATIONS.values() if row.resting is False)
RESTING = tuple(row.name for row in ACTIVATIONS.values() if row.resting is True)
LOSSES = ("binary_crossentropy", "categorical_crossentropy", "mse", "mae", "huber")
DOUBLE_LOSSES = LOSSES[:4]  # Keras 3.0 compares Huber's delta, a float32, with float64 errors, and raises
_VARIANTS = tuple(SMOOTH)
# TensorFlow's loops over units work in packets of 4, 8 or 16 floats, with other instructions for what is left over:
# only at multiples of 16 do all units take the same path through them, and equal units stay bitwise equal.
PACKET = 16


@functools.cache
def zero_nets() -> tuple[Net, ...]:
    """Nets of zeros whose units must stay bitwise equal, through every optimizer."""
    nets = draw_cases(_nets(_packets, MOVING), len(_VARIANTS), "zero nets")
    return tuple(replace(net, optimizer=name) for net, name in zip(nets, _VARIANTS, strict=True))


@functools.cache
def zero_nets_of_any_width() -> tuple[Net, ...]:
    """Nets of zeros whose units must stay equal within rounding error, in float64 so that it is small."""
    return _of_any_width(0.0, MOVING, "zero nets of any width")


@functools.cache
def constant_nets() -> tuple[Net, ...]:
    """Nets of one constant, whose units must stay equal within rounding error."""
    return _of_any_width(0.25, (*MOVING, "tanh", "elu", "softsign", "swish"), "constant nets")


@functools.cache
def random_nets() -> tuple[Net, ...]:
    """Nets of random kernels and biases, to be trained with their units in two orders."""
    nets = draw_cases(_random_net, len(_reordered()), "random nets")
    return tuple(replace(net, optimizer=name) for net, name in zip(nets, _reordered(), strict=True))


def make_zero_net(stream: CaseStream) -> Net:
    """A net of zeros whose units must stay bitwise equal, through any optimizer."""
    return replace(_nets(_packets, MOVING)(stream), optimizer=stream.one_of(_VARIANTS))


def make_random_net(stream: CaseStream) -> Net:
    """A net of random kernels and biases, to be trained with its units in two orders."""
    return replace(_random_net(stream), optimizer=stream.one_of(_reordered()))


@functools.cache
def _reordered() -> tuple[str, ...]:
    """The optimizers of nets that are trained with their units in two orders."""
    return _numbered(lambda variant: variant.reordered)


def _random_net(stream: CaseStream) -> Net:
    make = _nets(_widths(3, 9), ("sigmoid", "tanh", "softplus", "gelu"), DOUBLE_LOSSES)
    return replace(make(stream), kernel=None, bias=None, dtype="float64", steps=4)


def resting_nets() -> tuple[Net, ...]:
    """Nets of zeros whose kernels must never move, of any width."""
    return tuple(
        Net((3 + number, 5), activation, _VARIANTS[number % len(_VARIANTS)], LOSSES[number % 3], steps=3)
        for number, activation in enumerate(RESTING)
    )


def moving_nets() -> tuple[Net, ...]:
    """Nets of zeros whose kernels must all move, of any width; one traced, as ``compile`` does by default."""
    return tuple(
        Net((3 + number, 5), activation, _VARIANTS[number], LOSSES[number % 3], steps=4, graph=number == 0)
        for number, activation in enumerate(MOVING)
    )


def net_of_row(row: str) -> Net:
    """A net with kernels of that row of the catalogue."""
    return Net((6, 5), "tanh", kernel=None, row=row, steps=2)


_DROPOUT, _GAUSSIAN_NOISE, _GAUSSIAN_DROPOUT = (
    ((row.name, 0.5),) for row in (DROPOUT, GAUSSIAN_NOISE, GAUSSIAN_DROPOUT)
)


def _width(units: int, **traits: object) -> Net:
    return replace(Net((units,)), **traits)  # type: ignore[arg-type] # the traits are Net's own fields


# What breaks the symmetry of a net of zeros or of a constant, and what does not. Two of 16 units, which are 120 pairs,
# may be equal by chance: they share their masks of the last four steps, of eleven rows each, once in 120·2⁻⁴⁴ = 7e-12
# (in a net of zeros different masks of the first two steps may still leave them equal); two random biases are equal
# once in 120·2⁻²⁶ = 2e-6 as floats, once in 120·2⁻⁵² = 3e-14 as doubles; normal noise leaves six floats of each unit
# unequal, of which two alone agree once in 120·2⁻⁵². Over all seven nets: 2·7e-12 + 5·3e-14 < 2e-11.
BREAKING: tuple[Net, ...] = (
    _width(16, extra=_DROPOUT, kernel=0.25, activation="tanh", batch_size=11),
    # Hidden outputs are ½ or 0 or 1, unit by unit.
    _width(16, extra=_DROPOUT, activation="sigmoid", batch_size=11),
    _width(16, extra=_GAUSSIAN_NOISE, activation="tanh"),
    _width(16, extra=_GAUSSIAN_DROPOUT, activation="sigmoid"),
    _width(16, bias=None, activation="tanh", dtype="float64"),
    # Not relu, whose units with a bias below 0 stay equal.
    _width(16, bias=None, activation="elu", dtype="float64"),
    _width(16, bias=None, kernel=0.25, activation="sigmoid", dtype="float64"),
)
KEEPING: tuple[Net, ...] = (
    _width(16, extra=_DROPOUT, activation="tanh"),  # a mask of zeros masks nothing
    _width(16, extra=_DROPOUT, activation="relu"),
    _width(16, extra=_GAUSSIAN_DROPOUT, activation="tanh"),
    _width(16, bias=0.5, activation="tanh"),
    _width(16, bias=0.5, activation="sigmoid", optimizer=optimizers.ADAM.name),
)


def _packets(stream: CaseStream) -> tuple[int, ...]:
    """One to three widths at which the same instructions compute all units."""
    return tuple(PACKET * packets for packets in stream.integers(1, 3, most=3))


def _widths(low: int, high: int) -> Callable[[CaseStream], tuple[int, ...]]:
    """A function that draws one or two widths."""
    return lambda stream: stream.integers(low, high, most=2)


def _nets(
    widths: Callable[[CaseStream], tuple[int, ...]], activations: tuple[str, ...], losses: tuple[str, ...] = LOSSES
) -> Callable[[CaseStream], Net]:
    def make(stream: CaseStream) -> Net:
        drawn, activation, loss = widths(stream), stream.one_of(activations), stream.one_of(losses)
        # Odd, and no multiple of 3: no class is met as often as every other one.
        return Net(drawn, activation, loss=loss, batch_size=stream.one_of((5, 7, 11)), steps=len(drawn) + 3)

    return make


def _numbered(number_of: Callable[[Variant], int | None]) -> tuple[str, ...]:
    """The variants that have such a number, in its order."""
    variants = (variant for row in optimizers.OPTIMIZERS for variant in row.smooth)
    names = {number: variant.name for variant in variants if (number := number_of(variant)) is not None}
    return tuple(names[number] for number in range(len(names)))


def _of_any_width(kernel: float, activations: tuple[str, ...], key: str) -> tuple[Net, ...]:
    names = _numbered(lambda variant: variant.any_width)
    nets = draw_cases(_nets(_widths(2, 21), activations, DOUBLE_LOSSES), len(names), key)
    return tuple(
        replace(net, kernel=kernel, dtype="float64", optimizer=name, steps=4)
        for net, name in zip(nets, names, strict=True)
    )
