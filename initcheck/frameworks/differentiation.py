"""One run of a model or layer forward and back on every backend: what it returns on the way, and all gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import all_seen, dtype_name, is_tensor
from initcheck.targets import backend_of, target

Array = npt.NDArray[Any]
Slopes = tuple[Array | None, ...]


@dataclass(frozen=True)
class RunOutcome:
    """What a run gives.

    Attributes:
        number: What is differentiated, a tensor of one number; None where nothing is.
        by: The tensors on the way to differentiate by; by those that are not of real numbers there is no gradient.
        wanted: Further tensors whose values are asked for, in any structure of lists, tuples and dicts.
    """

    number: Any
    by: Sequence[Any]
    wanted: Any


@dataclass(frozen=True)
class Differentiated:
    """What came of a run.

    Attributes:
        by_weights: The gradient by each weight; None where no path leads from the number to it.
        by_tensors: The gradient by each tensor on the way; likewise.
        values: The values that were asked for, in their structure.
    """

    by_weights: Slopes
    by_tensors: Slopes
    values: Any


Outermost = Callable[[], bool]  # whether what runs now is within no graph, loop or branch of the run
Run = Callable[[Any, Outermost], RunOutcome]  # is handed the inputs


def tensors_in(structure: Any) -> list[Any]:
    """The tensors of a structure of lists, tuples and dicts, by sorted keys."""
    if isinstance(structure, Mapping):
        return [leaf for key in sorted(structure, key=str) for leaf in tensors_in(structure[key])]
    if isinstance(structure, list | tuple):
        return [leaf for part in structure for leaf in tensors_in(part)]
    return [structure] if is_tensor(structure) else []


def is_real(tensor: Any) -> bool:
    """Whether the tensor is one of real numbers, in any precision."""
    return "float" in dtype_name(tensor)


def has_values(tensor: Any) -> bool:
    """Whether a tensor that such a run makes has values, during it or after it: those of TensorFlow's graphs never."""
    return backend_of(target()) != "tensorflow" or hasattr(tensor, "numpy")


def gradient_array(gradient: Any) -> Array:
    """A gradient as an array; of rows that were looked up, TensorFlow gives these alone."""
    if backend_of(target()) == "tensorflow":
        import tensorflow as tf

        gradient = tf.convert_to_tensor(gradient)
    return as_array(gradient)


def differentiated(model: Any, weights: Sequence[Any], inputs: Any, run: Run) -> Differentiated:
    """Runs the model once, and differentiates the number that comes of it.

    Args:
        model: Built; the statistics and generators that it keeps are moved. None where there is none.
        weights: Those of its variables to differentiate by.
        inputs: Tensors, in any structure of lists, tuples and dicts.
        run: Calls the model on them.
    """
    kinds = {"tensorflow": _on_tensorflow, "torch": _on_torch, "jax": _on_jax}
    return kinds[backend_of(target())](model, weights, inputs, run)


def gradients(layer: Any, inputs: Sequence[Any], compute: Callable[..., tuple[Any, Any]]) -> Differentiated:
    """Calls a layer once, and differentiates a number by its trained weights and by its inputs of real numbers.

    Args:
        layer: Built; the statistics and generators that it keeps are moved. None where there is none.
        inputs: Tensors.
        compute: Takes them, and calls the layer; returns the number, a tensor of one, and further tensors whose values
            are asked for, in any structure.
    """

    def run(given: Sequence[Any], _: Outermost) -> RunOutcome:
        number, wanted = compute(*_to_overwrite(given))
        return RunOutcome(number, [one for one in given if is_real(one)], wanted)

    return differentiated(layer, [] if layer is None else layer.trainable_weights, list(inputs), run)


def _to_overwrite(tensors: Sequence[Any]) -> Sequence[Any]:
    """The tensors, of torch as copies: some layers write into their inputs, which those to differentiate by forbid."""
    return [one.clone() for one in tensors] if backend_of(target()) == "torch" else tensors


def take_own_step(model: Any, batch: Any) -> None:
    """Lets the model take its ``train_step`` outside of ``fit``, eagerly; on JAX its variables stay as they are."""
    if backend_of(target()) != "jax":
        model.train_step(batch)
        return
    model._symbolic_build(data_batch=batch if isinstance(batch, tuple) else (batch,))  # as train_on_batch does
    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    model.train_step(tuple([one.value for one in part] for part in variables), batch)


def _on_tensorflow(_model: Any, weights: Sequence[Any], inputs: Any, run: Run) -> Differentiated:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        for leaf in tensors_in(inputs):
            if leaf.dtype.is_floating:
                tape.watch(leaf)
        traced = run(inputs, tf.executing_eagerly)
        number = None if traced.number is None else tf.convert_to_tensor(traced.number)
    by = [*weights, *traced.by]
    found = [None] * len(by) if number is None else tape.gradient(number, by)
    slopes = [None if one is None else gradient_array(one) for one in found]
    return _sorted(slopes, weights, _arrays(traced.wanted))


def _on_torch(_model: Any, weights: Sequence[Any], inputs: Any, run: Run) -> Differentiated:
    import torch

    for leaf in tensors_in(inputs):
        if leaf.is_floating_point():
            leaf.requires_grad_()
    traced = run(inputs, lambda: True)
    by = [*(one.value for one in weights), *traced.by]
    places = [place for place, one in enumerate(by) if one.requires_grad]
    slopes: list[Array | None] = [None] * len(by)
    if places and traced.number is not None and traced.number.requires_grad:
        found = torch.autograd.grad(traced.number, [by[place] for place in places], allow_unused=True)
        for place, one in zip(places, found, strict=True):
            slopes[place] = None if one is None else as_array(one)
    return _sorted(slopes, weights, _arrays(traced.wanted))


def _on_jax(model: Any, weights: Sequence[Any], inputs: Any, run: Run) -> Differentiated:
    """Traces the run, and replays it as one program in which tensors on the way are moved by numbers, which are 0."""
    import jax
    import keras

    variables = [] if model is None else model.variables
    others = [one for one in variables if all(one is not weight for weight in weights)]

    def traced_run(at: Sequence[Any], states: Sequence[Any], given: Any) -> tuple[Any, ...]:
        level = _level()
        mapping = [*zip(weights, at, strict=True), *zip(others, states, strict=True)]
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True) as scope:
            found = run(given, lambda: bool(_level() == level))
        after = [scope.get_current_value(one) for one in others]
        return [] if found.number is None else [found.number], list(found.by), found.wanted, after

    at = [one.value for one in weights], [one.value for one in others], inputs
    program, shapes = jax.make_jaxpr(traced_run, return_shape=True)(*at)
    names, first, by = program.jaxpr.outvars, len(shapes[0]), shapes[1]
    tensors = names[first : first + len(by)]
    moved = [(name, one) for name, one in zip(tensors, by, strict=True) if is_real(one) and not _is_literal(name)]

    def replay(values: Sequence[Any], shifts: Sequence[Any], rest: Sequence[Any]) -> tuple[Any, list[Any]]:
        shifted = {name: shift for (name, _), shift in zip(moved, shifts, strict=True)}
        results = _replayed(program, [*values, *rest], shifted)
        return (results[0] if first else jax.numpy.zeros(())), results

    leaves = jax.tree.leaves(at)
    shifts = [jax.numpy.zeros(one.shape, one.dtype) for _, one in moved]
    slope = jax.jit(jax.value_and_grad(replay, (0, 1), has_aux=True))
    (_, results), found = slope(leaves[: len(weights)], shifts, leaves[len(weights) :])
    _, _, wanted, after = jax.tree.unflatten(jax.tree.structure(shapes), results)
    for variable, value in zip(others, after, strict=True):
        variable.assign(value)
    all_seen()
    sources = [*program.jaxpr.invars[: len(weights)], *(name for name, _ in moved)]
    slopes = dict(zip(sources, [*found[0], *found[1]], strict=True))
    depends = _dependencies(program.jaxpr, names[:first]) & set(slopes)
    asked = [*sources[: len(weights)], *tensors]
    every = [None if _is_literal(one) or one not in depends else as_array(slopes[one]) for one in asked]
    return _sorted(every, weights, _arrays(wanted))


def _level() -> Any:
    """What is being traced now; equal for equal levels."""
    import jax.core
    import jax.extend.core

    home = jax.extend.core if hasattr(jax.extend.core, "get_opaque_trace_state") else jax.core  # the latter before 0.8
    return home.get_opaque_trace_state(convention="initcheck")


def _is_literal(name: Any) -> bool:
    """Whether that is no variable of a traced program but a number within it."""
    import jax.extend.core

    return isinstance(name, jax.extend.core.Literal)


def _dependencies(program: Any, number: Sequence[Any]) -> set[Any]:
    """The variables of a traced program from which a path of real numbers leads to that one."""
    found = {one for one in number if not _is_literal(one)}
    for step in reversed(program.eqns):
        if step.primitive.name != "stop_gradient" and any(one in found for one in step.outvars):
            found |= {one for one in step.invars if not _is_literal(one) and is_real(one.aval)}
    return found


def _replayed(program: Any, inputs: Sequence[Any], shifts: Mapping[Any, Any]) -> list[Any]:
    """What a traced program returns for those inputs, with some of its variables moved where they are computed."""
    values: dict[Any, Any] = {}

    def write(names: Sequence[Any], computed: Sequence[Any]) -> None:
        for name, value in zip(names, computed, strict=True):
            values[name] = value + shifts[name] if name in shifts else value

    def read(names: Sequence[Any]) -> list[Any]:
        return [one.val if _is_literal(one) else values[one] for one in names]

    write(program.jaxpr.constvars, program.consts)
    write(program.jaxpr.invars, inputs)
    for step in program.jaxpr.eqns:
        bound = step.primitive.get_bind_params(step.params)
        functions, settings = bound if isinstance(bound, tuple) else ((), bound)  # the former before JAX 0.9
        returned = step.primitive.bind(*functions, *read(step.invars), **settings)
        write(step.outvars, returned if step.primitive.multiple_results else [returned])
    return read(program.jaxpr.outvars)


def _sorted(slopes: Sequence[Array | None], weights: Sequence[Any], values: Any) -> Differentiated:
    return Differentiated(tuple(slopes[: len(weights)]), tuple(slopes[len(weights) :]), values)


def _arrays(structure: Any) -> Any:
    if structure is None:
        return None
    if isinstance(structure, Mapping):
        return {key: _arrays(value) for key, value in structure.items()}
    if isinstance(structure, list | tuple):
        return [_arrays(value) for value in structure]
    return np.asarray(as_array(structure))
