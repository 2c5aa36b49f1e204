"""The outputs of recurrent layers with their options, for ``Rounded`` arrays.

A cell computes one step; a layer runs it over the steps of a sequence, a stack of cells each after the other.

Sources: https://keras.io/api/layers/recurrent_layers/ for arguments and the order of weights, gates and states;
Hochreiter & Schmidhuber 1997 with Gers et al. 2000 for the LSTM's forget gate; Cho et al. 2014,
https://arxiv.org/abs/1406.1078v3 and v1, for the GRU that resets before or after the product; Shi et al. 2015,
https://arxiv.org/abs/1506.04214, for the convolutional LSTM, here without peepholes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from initcheck.oracle.arranging import as_given, channels_last, chosen, concatenated, moved
from initcheck.oracle.layer_outputs import convolution
from initcheck.oracle.networks import activate
from initcheck.oracle.rounding import Rounded

Array = Any
Weights = Sequence[Array]
States = list[Array]
WHOLE = (1.0, 1.0)


@dataclass(frozen=True)
class RecurrentCell:
    """One step of a recurrent layer.

    Attributes:
        step: Output and new states, from weights, input and states, with options as keyword arguments. ``factors`` are
            what input and state are multiplied by where they are transformed linearly, as dropout does.
        gates: The parts side by side in its weights.
        states: Their number.
        weights: Their number.
        options: Its arguments, for a cell within a stack.
        nothing: The states that a sequence begins with, from weights and the input of a step.
    """

    step: Callable[..., tuple[Array, States]]
    gates: int = 1
    states: int = 1
    weights: int = 3
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    nothing: Callable[..., Array] = lambda weights, x, **_: Rounded(np.zeros((x.shape[0], weights[1].shape[0])))


def simple_step(
    weights: Weights, x: Array, states: States, activation: str = "tanh", factors: Any = WHOLE, **_: Any
) -> tuple[Array, States]:
    """The activation of x·W + h·U + b."""
    kernel, recurrent, *bias = weights
    new = activate(
        activation, sum(bias, start=_times(x, factors[0]) @ kernel + _times(states[0], factors[1]) @ recurrent)
    )
    return new, [new]


def lstm_step(weights: Weights, x: Array, states: States, factors: Any = WHOLE, **options: Any) -> tuple[Array, States]:
    """Gates of input, forgetting, cell and output, in this order; the states are output and carry."""
    kernel, recurrent, *bias = weights
    gates = sum(bias, start=_times(x, factors[0]) @ kernel + _times(states[0], factors[1]) @ recurrent)
    return _remembered(gates, states[1], **options)


def convolved_lstm_step(
    weights: Weights, x: Array, states: States, factors: Any = WHOLE, **options: Any
) -> tuple[Array, States]:
    """An LSTM whose products are convolutions; that of the state keeps its size."""
    kernel, recurrent, *bias = weights
    no_bias = Rounded(np.zeros(kernel.shape[-1]))
    gates = convolution([kernel, *(bias or [no_bias])], _times(x, factors[0]), **_window(options))
    kept = convolution([recurrent, no_bias], _times(states[0], factors[1]), padding="same")
    return _remembered(gates + kept, states[1], **options)


def gru_step(
    weights: Weights,
    x: Array,
    states: States,
    activation: str = "tanh",
    recurrent_activation: str = "sigmoid",
    reset_after: bool = True,
    factors: Any = WHOLE,
    **_: Any,
) -> tuple[Array, States]:
    """Gates of update, reset and the new state, in this order; reset after the product of the state, or before it."""
    kernel, recurrent, *bias = weights
    (state,) = states
    seen = _times(state, factors[1])
    from_input = _times(x, factors[0]) @ kernel
    from_state = seen @ recurrent
    if bias:
        from_input = from_input + (bias[0][0] if reset_after else bias[0])
        from_state = from_state + bias[0][1] if reset_after else from_state
    into, kept_of = _split(from_input, 3), _split(from_state, 3)
    kept, reset = (activate(recurrent_activation, into[gate] + kept_of[gate]) for gate in (0, 1))
    units = recurrent.shape[0]
    last = reset * kept_of[2] if reset_after else (reset * seen) @ recurrent[:, 2 * units :]
    new = kept * state + (1.0 - kept) * activate(activation, into[2] + last)
    return new, [new]


def _remembered(
    gates: Array, carry: Array, activation: str = "tanh", recurrent_activation: str = "sigmoid", **_: Any
) -> tuple[Array, States]:
    into, kept, new, out = _split(gates, 4)
    carry = activate(recurrent_activation, kept) * carry + activate(recurrent_activation, into) * activate(
        activation, new
    )
    state = activate(recurrent_activation, out) * activate(activation, carry)
    return state, [state, carry]


def _no_image(weights: Weights, x: Array, **options: Any) -> Array:
    """As large as the convolution of the input."""
    kernel, recurrent = weights[:2]
    places = convolution([kernel, Rounded(np.zeros(kernel.shape[-1]))], x, **_window(options)).shape[:-1]
    return Rounded(np.zeros((*places, recurrent.shape[-2])))


SIMPLE_CELL = RecurrentCell(simple_step)
LSTM_CELL = RecurrentCell(lstm_step, gates=4, states=2)
GRU_CELL = RecurrentCell(gru_step, gates=3)
CONVOLVED_LSTM_CELL = RecurrentCell(convolved_lstm_step, gates=4, states=2, nothing=_no_image)


@dataclass(frozen=True)
class Sequences:
    """The formula of a layer that runs cells over the steps of its input.

    Attributes:
        cells: One after the other, each with its own weights and states. A single cell takes the layer's arguments.
    """

    cells: tuple[RecurrentCell, ...]

    def __call__(self, weights: Weights, x: Any, **config: Any) -> Array:
        """The layer's output; of a list, the first is the input and the others are the states that it begins with."""
        x, *states = x if isinstance(x, list) else [x]
        return joined(self.parts(weights, x, states, **config)[0])

    def in_turn(
        self, weights: Weights, inputs: Sequence[Array], states: Sequence[Array] = (), **config: Any
    ) -> tuple[list[Array], States]:
        """The outputs of calls in a row, each of which begins with the last one's states, and the last states."""
        outputs: list[Array] = []
        left = list(states)
        for x in inputs:
            parts, left = self.parts(weights, x, left, **config)
            outputs.append(joined(parts))
        return outputs, left

    @property
    def weights(self) -> int:
        """The number of its weights."""
        return sum(cell.weights for cell in self.cells)

    def parts(
        self,
        weights: Weights,
        x: Array,
        states: States,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        seen: Any = None,
        zero_output_for_mask: bool = False,
        **config: Any,
    ) -> tuple[list[Array], States]:
        """The layer's outputs, states among them where asked for, and its states.

        A step that is not ``seen`` leaves the states as they are; its output is that of the step before it, or zeros.
        """
        steps = range(x.shape[1])
        outputs: list[Array] = []
        for step in reversed(steps) if go_backwards else steps:
            output, after = self.step(weights, channels_last(x[:, step], config), states, config)
            if seen is not None:
                now, nothing = seen[:, step].reshape(-1, *[1] * (len(output.shape) - 1)), _zeros(output)
                after = [chosen(now, *pair) for pair in zip(after, states or map(_zeros, after), strict=True)]
                output = chosen(now, output, outputs[-1] if outputs and not zero_output_for_mask else nothing)
            states = after
            outputs.append(as_given(output, config))
        output = _stacked(outputs) if return_sequences else outputs[-1]
        shown = [as_given(one, config) for one in states] if return_state else []
        return [output, *shown], states

    def step(self, weights: Weights, x: Array, states: States, config: Mapping[str, Any]) -> tuple[Array, States]:
        """Output and new states of one step; zeros stand for the states if there are none."""
        left, held, new = list(weights), list(states), []
        for cell in self.cells:
            own, left = left[: cell.weights], left[cell.weights :]
            options = {**config, **cell.options}
            before, held = held[: cell.states], held[cell.states :]
            before = before or [cell.nothing(own, x, **options)] * cell.states
            x, after = cell.step(own, x, before, **options)
            new += after
        return x, new


@dataclass(frozen=True)
class OneStep:
    """The formula of cells that are called for one step.

    Attributes:
        cells: One after the other; a single one takes the layer's arguments.
    """

    cells: tuple[RecurrentCell, ...]

    def __call__(self, weights: Weights, x: Sequence[Array], **config: Any) -> Array:
        """The output and the new states, from input and states."""
        output, states = Sequences(self.cells).step(weights, x[0], list(x[1:]), config)
        return joined([output, *states])


@dataclass(frozen=True)
class Directions:
    """The formula of a layer that reads its input forwards and backwards.

    Attributes:
        forward: Its layer.
        backward: The other one, which reads it backwards.
        options: The arguments of the forward layer.
        backward_options: Those of the other one, if they differ.
    """

    forward: Sequences
    backward: Sequences
    options: Mapping[str, Any] = field(default_factory=dict)
    backward_options: Mapping[str, Any] | None = None

    def __call__(self, weights: Weights, x: Any, merge_mode: str | None = "concat", **_: Any) -> Array:
        """Both outputs in the input's order, merged; then the states of each where asked for."""
        x, *states = x if isinstance(x, list) else [x]
        return joined(self.parts(weights, x, states, merge_mode)[0])

    def in_turn(
        self,
        weights: Weights,
        inputs: Sequence[Array],
        states: Sequence[Array] = (),
        merge_mode: str | None = "concat",
        **_: Any,
    ) -> tuple[list[Array], States]:
        """The outputs of calls in a row, each of which begins with the last one's states, and the last states."""
        outputs: list[Array] = []
        left = list(states)
        for x in inputs:
            parts, left = self.parts(weights, x, left, merge_mode)
            outputs.append(joined(parts))
        return outputs, left

    def parts(self, weights: Weights, x: Array, states: States, merge_mode: str | None) -> tuple[list[Array], States]:
        """The merged outputs, states among them where asked for, and the states of both."""
        count, half = self.forward.weights, len(states) // 2
        (first, *kept), forward = self.forward.parts(weights[:count], x, states[:half], **self.options)
        options = {**(self.options if self.backward_options is None else self.backward_options), "go_backwards": True}
        (second, *others), backward = self.backward.parts(weights[count:], x, states[half:], **options)
        second = second[:, ::-1] if options.get("return_sequences") else second
        output = _MERGED[merge_mode](first, second)
        return [*output, *kept, *others], [*forward, *backward]


_MERGED: Mapping[str | None, Callable[[Array, Array], list[Array]]] = {
    "concat": lambda a, b: [concatenated((), [a, b])],
    "sum": lambda a, b: [a + b],
    "mul": lambda a, b: [a * b],
    "ave": lambda a, b: [(a + b) / 2.0],
    None: lambda a, b: [a, b],
}


def joined(outputs: Sequence[Array]) -> Array:
    """The only output; of several, each row's elements one after another."""
    if len(outputs) == 1:
        return outputs[0]
    return concatenated((), [moved(one, lambda values: values.reshape(len(values), -1)) for one in outputs])


@dataclass(frozen=True)
class EachStep:
    """The formula of a layer that applies another one to every step of its input.

    Attributes:
        formula: Of the other layer.
        options: Its arguments.
    """

    formula: Callable[..., Array]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, weights: Weights, x: Array, **_: Any) -> Array:
        """The outputs of all steps."""
        return _stacked([self.formula(weights, x[:, step], **self.options) for step in range(x.shape[1])])


def _zeros(x: Array) -> Rounded:
    return Rounded(np.zeros(x.shape))


def _stacked(steps: Sequence[Array]) -> Rounded:
    return Rounded(np.stack([one.value for one in steps], 1), np.stack([one.error for one in steps], 1))


def _times(x: Array, factor: float) -> Array:
    return x if factor == 1.0 else x * factor


def _window(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("strides", "padding", "dilation_rate") if name in options}


def _split(x: Array, parts: int) -> list[Array]:
    width = x.shape[-1] // parts
    return [x[..., part * width : (part + 1) * width] for part in range(parts)]
