"""Calls of layers and steps of optimizers on every backend, compiled as ``fit`` compiles them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, dtype_name
from initcheck.frameworks.differentiation import gradients
from initcheck.targets import backend_of, target

Array = npt.NDArray[Any]
Spec = tuple[Sequence[int | None], str]  # a shape, None where a number is not known, and a dtype


def build_by_call(call: Callable[..., Any], inputs: Sequence[Any]) -> None:
    """Calls a layer that is not built at those tensors; on JAX at symbols of their shapes, which compiles nothing."""
    if backend_of(target()) != "jax":
        call(*inputs)
        return
    import keras

    call(*(keras.KerasTensor(one.shape, dtype_name(one)) for one in inputs))


def call_with_losses(layer: Any, call: Callable[..., Any], inputs: Sequence[Any]) -> tuple[Any, list[Array]]:
    """The outputs of a call of a built layer, and the losses that it adds; on JAX in one program.

    Args:
        layer: Whose state the call may change.
        call: Takes the inputs.
        inputs: Tensors, or arrays that Keras makes into tensors.
    """
    if backend_of(target()) != "jax":
        output = call(*inputs)
        return output, [as_array(one) for one in layer.losses]
    output, losses = compiled_call(layer, lambda *tensors: (call(*tensors), [*layer.losses]), ())(*inputs)
    return output, [as_array(one) for one in losses]


def compiled_call(layer: Any, call: Callable[..., Any], specs: Sequence[Spec]) -> Callable[..., Any]:
    """A call of the layer within a graph or a program, as ``fit`` runs it by default; torch runs it as it is.

    Args:
        layer: Whose state the call may change.
        call: Takes tensors.
        specs: What is known of each of them: a graph of TensorFlow is traced once; a program of JAX for each shape.
    """
    backend = backend_of(target())
    if backend == "torch":
        return call
    if backend == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec(shape, dtype) for shape, dtype in specs]
        return tf.function(call, input_signature=signature, autograph=False)  # type: ignore[no-any-return] # untyped
    import jax

    def run(values: Sequence[Any], *tensors: Any) -> Any:
        return _stateless(layer.variables, values, lambda: call(*tensors))

    compiled: Callable[..., Any] = jax.jit(run)

    def as_layer(*tensors: Any) -> Any:
        output, after = compiled([one.value for one in layer.variables], *tensors)
        for variable, value in zip(layer.variables, after, strict=True):
            variable.assign(value)
        return output

    return as_layer


def shaped_outputs(layer: Any, call: Callable[[], Any]) -> Any:
    """What a call of a built layer returns, where only shapes matter; on JAX it is traced, which compiles nothing.

    Args:
        layer: Whose state the call may change.
        call: Returns tensors, in any structure.
    """
    if backend_of(target()) != "jax":
        return call()
    import jax

    values = [one.value for one in layer.variables]
    return jax.eval_shape(lambda: _stateless(layer.variables, values, call)[0])


def slope_of_lookups(table: Any, indices: Any, slopes: Any) -> Any:
    """The slope, by an Embedding's table, of its looked-up rows times these numbers.

    TensorFlow hands on the rows that were looked up, other backends the whole table.
    """
    if backend_of(target()) == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = tf.reduce_sum(table(indices) * slopes)
        return tape.gradient(value, table.trainable_weights)[0]
    found = gradients(table, [indices], lambda one: ((table(one) * slopes).sum(), None))
    return as_tensor(found.by_weights[0])


def take_step(optimizer: Any, slopes: Sequence[Any], weights: Sequence[Any]) -> None:
    """A step of an optimizer along tensors, which may be None; by its ``apply``, where the backend has side effects.

    A LossScaleOptimizer branches by operations, which may assign no variables on JAX: ``fit`` hands it their values.
    """
    if backend_of(target()) != "jax" or not hasattr(optimizer, "inner_optimizer"):
        optimizer.apply(slopes, weights)
        return
    if not optimizer.built:
        optimizer.build(weights)
    held = [*optimizer.variables]
    given = [one.value for one in held], [*slopes], [one.value for one in weights]
    trained, others = optimizer.stateless_apply(*given)
    for variable, value in zip([*weights, *held], [*trained, *others], strict=True):
        variable.assign(value)


def compiled_step(optimizer: Any, weights: Sequence[Any]) -> Callable[..., None]:
    """A step of a built optimizer along a slope for each weight, within a graph or program; on torch as it is."""
    backend = backend_of(target())

    def step(*slopes: Any) -> None:
        optimizer.apply_gradients(zip(slopes, weights, strict=True))

    if backend == "torch":
        return step
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(step)  # type: ignore[no-any-return] # untyped
    import jax

    held = [*optimizer.variables]
    run = jax.jit(optimizer.stateless_apply)

    def as_optimizer(*slopes: Any) -> None:
        trained, others = run([one.value for one in held], list(slopes), [one.value for one in weights])
        for variable, value in zip([*weights, *held], [*trained, *others], strict=True):
            variable.assign(value)

    return as_optimizer


def _stateless(variables: Sequence[Any], values: Sequence[Any], call: Callable[[], Any]) -> tuple[Any, list[Any]]:
    """What the call gives where the variables have these values, and their values afterwards."""
    import keras

    mapping = list(zip(variables, values, strict=True))
    with keras.StatelessScope(state_mapping=mapping, collect_losses=True) as scope:
        output = call()
    after = [scope.get_current_value(one) for one in variables]
    return output, [value if new is None else new for value, new in zip(values, after, strict=True)]
