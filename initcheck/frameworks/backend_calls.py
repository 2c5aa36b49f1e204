"""What every backend does in words of its own: tensors, compiled functions, gradients, rows as they pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_target_keras
from initcheck.installed import version_of
from initcheck.targets import backend_of, target

Array = npt.NDArray[Any]


def as_tensor(values: Any) -> Any:
    """The values as a tensor of the target's backend, in their own dtype: JAX makes 32 of 64 bits unless asked."""
    backend = backend_of(target())
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.convert_to_tensor(values)
    if backend == "torch":
        import torch

        array = np.asarray(values)
        if array.dtype.name == "bfloat16":  # of ml_dtypes, which torch does not read; float32 holds all of its values
            return torch.as_tensor(array.astype(np.float32)).to(torch.bfloat16)
        return torch.tensor(array)  # a copy: some layers write into their inputs
    import jax.numpy as jnp

    return jnp.asarray(values)


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of the target's backend."""
    backend = backend_of(target())
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.is_tensor(value))
    if backend == "torch":
        import torch

        return isinstance(value, torch.Tensor)
    import jax

    return isinstance(value, jax.Array)


def dtype_name(tensor: Any) -> str:
    """The dtype of a tensor or of an array, as NumPy and ``ml_dtypes`` name it."""
    return str(getattr(tensor.dtype, "name", tensor.dtype)).removeprefix("torch.")


def has_no_kernel(error: Exception) -> bool:
    """Whether the backend says by that error that it does not compute an operation in that dtype on this device."""
    backend = backend_of(target())
    if backend == "tensorflow":
        import tensorflow as tf

        kinds: tuple[type[Exception], ...] = (tf.errors.NotFoundError, tf.errors.InvalidArgumentError)
    else:
        kinds = (RuntimeError, NotImplementedError, TypeError, ValueError)
    return isinstance(error, kinds) and any(words in str(error) for words in _NO_KERNEL[backend])


_NO_KERNEL: Mapping[str, tuple[str, ...]] = {
    "tensorflow": ("Could not find device for node", "is not in the list of allowed values"),
    "jax": ("is not supported by dot_general on", "Unsupported dtype bfloat16"),  # as of a QR decomposition
    "torch": ("not implemented for",),
}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors as ``fit`` runs its own by default: a graph, a program of JAX, as it is on torch."""
    backend = backend_of(target())
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)  # type: ignore[no-any-return] # has no types
    if backend == "jax":
        import jax

        return jax.jit(function)  # type: ignore[no-any-return] # the same
    return function


def is_traced(*values: Any) -> bool:
    """Whether these tensors belong to a graph or a program of JAX that is being traced."""
    backend = backend_of(target())
    if backend == "tensorflow":
        import tensorflow as tf

        return not tf.executing_eagerly()
    if backend == "torch":
        return False
    import jax

    return any(isinstance(one, jax.core.Tracer) for one in values)


def traces() -> bool:
    """Whether ``compiled`` traces a function: torch runs it as it is."""
    return backend_of(target()) in ("tensorflow", "jax")


def training_call(layer: Any) -> Callable[..., Any]:
    """The layer's call in training, compiled where the backend traces: its generators advance all the same.

    On JAX a variable that is assigned within a compiled function leaks, so that they are handed through it.
    """
    backend = backend_of(target())
    if backend != "jax":
        return compiled(lambda *inputs: layer(*inputs, training=True))
    import jax

    program = jax.jit(lambda *given: layer.stateless_call(*given, training=True))

    def call(*inputs: Any) -> Any:
        if not layer.built:
            layer.build(*(np.shape(one) for one in inputs))
        trained, others = layer.trainable_variables, layer.non_trainable_variables
        outputs, after = program([one.value for one in trained], [one.value for one in others], *inputs)
        for variable, value in zip(others, after, strict=True):
            variable.assign(value)
        return outputs

    return call


def trained_variable(values: Array) -> Any:
    """A variable that an optimizer may be given: TensorFlow's own there, which every release of Keras takes."""
    if backend_of(target()) == "tensorflow":
        import tensorflow as tf

        return tf.Variable(values)
    return load_target_keras().Variable(values, dtype=values.dtype.name)


def apply_gradients(optimizer: Any, slopes: Sequence[Array | None], variables: Sequence[Any]) -> None:
    """Lets the optimizer take a step of those variables by their slopes."""
    pairs = [(None if slope is None else as_tensor(slope), one) for slope, one in zip(slopes, variables, strict=True)]
    if backend_of(target()) != "torch":
        optimizer.apply_gradients(pairs)
        return
    import torch

    with torch.no_grad():
        optimizer.apply_gradients(pairs)


def mean(values: Any) -> Any:
    """The mean of all elements of a tensor."""
    if backend_of(target()) == "tensorflow":
        import tensorflow as tf

        return tf.reduce_mean(values)
    return values.mean()


def idle_step(state_and_data: Sequence[Any], logs: Mapping[str, Any] | None = None) -> Any:
    """What a model's ``train_step`` or ``test_step`` returns that does nothing.

    Args:
        state_and_data: Its arguments: on JAX the model's variables come first, and are returned.
        logs: What it reports; by default a loss of zero.
    """
    reported = {"loss": as_tensor(np.float32(0))} if logs is None else dict(logs)
    *state, _ = state_and_data
    return (reported, *state) if state else reported


def changed_result(returned: Any, change: Callable[[Any], Any]) -> Any:
    """What a model's ``train_step``, ``test_step`` or ``predict_step`` returned, with its logs or outputs changed.

    On JAX the model's variables come behind them.
    """
    if backend_of(target()) != "jax":
        return change(returned)
    first, *state = returned
    return (change(first), *state)


def seen_by(see: Callable[..., None], *values: Any) -> None:
    """Hands the values of tensors to a function of Python, each time that the model which calls this is run."""
    backend = backend_of(target())
    if backend == "tensorflow":
        import tensorflow as tf

        tf.numpy_function(lambda *arrays: see(*map(np.array, arrays)), values, [])
    elif backend == "jax" and is_traced(*values):
        import jax

        jax.debug.callback(lambda *arrays: see(*map(np.array, arrays)), *values, ordered=True)
    else:
        see(*(np.array(as_array(one)) for one in values))


def seen_in_passing(see: Callable[[Array], None], values: Any) -> None:
    """Hands a tensor's values to a function of Python: on JAX each time, and in any order; in a TensorFlow graph never.

    Raises:
        Exception: It is a tensor of such a graph.
    """
    if backend_of(target()) == "jax" and is_traced(values):
        import jax

        jax.debug.callback(lambda array: see(np.array(array)), values)
    else:
        see(as_array(values))


def all_seen() -> None:
    """Waits until everything has been handed over: JAX computes while Python goes on."""
    if backend_of(target()) == "jax":
        import jax

        jax.effects_barrier()


def global_draws() -> Mapping[str, Callable[[], Array]]:
    """Draws of the frameworks' generators that Keras seeds: TensorFlow's where it is installed, torch's as backend."""
    draws: dict[str, Callable[[], Array]] = {}
    if backend_of(target()) == "torch":
        import torch

        draws |= {"torch": lambda: as_array(torch.rand(9)), "torch shuffle": lambda: as_array(torch.randperm(99))}
    if version_of("tensorflow"):
        import tensorflow as tf

        function = tf.function(lambda: tf.random.uniform((9,)), autograph=False)
        draws |= {
            "tensorflow": lambda: as_array(tf.random.normal((9,))),
            "tensorflow shuffle": lambda: as_array(tf.random.shuffle(tf.range(99))),
            "tensorflow function": lambda: as_array(function()),
        }
    return draws


def draw_globally() -> None:
    """Moves the backend's own global generator on, where it has one; JAX has none."""
    backend = backend_of(target())
    if backend == "tensorflow":
        import tensorflow as tf

        tf.random.normal((3,))
        tf.random.shuffle(tf.range(5))
    elif "torch" in (backend, target()):
        import torch

        torch.rand(3)
        torch.randperm(5)


def product(one: Any, other: Any, *, turned: str = "") -> Any:
    """The product of two matrices, as layers and their gradients ask the backend for it.

    Args:
        one: Shape ``(m, k)``.
        other: Shape ``(k, n)``.
        turned: The one that comes with its axes exchanged: ``first``, ``second`` or neither.
    """
    backend = backend_of(target())
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.matmul(one, other, transpose_a=turned == "first", transpose_b=turned == "second")
    if backend == "torch":
        return _PRODUCTS[turned](one, other)
    import jax

    return jax.jit(_PRODUCTS[turned])(one, other)


def of_columns(values: Any) -> list[Any]:
    """Sums over rows, and activations, of torch: its kernels round differently in columns that fill no vector.

    TensorFlow and JAX treat all columns the same: nothing is to be looked at.
    """
    if backend_of(target()) != "torch":
        return []
    import torch

    kinds = (torch.sigmoid, torch.nn.functional.softplus, torch.nn.functional.elu, torch.tanh, torch.exp)
    return [values.sum(0, keepdim=True), *(kind(values) for kind in kinds)]


_PRODUCTS: Mapping[str, Callable[[Any, Any], Any]] = {
    "": lambda one, other: one @ other,
    "first": lambda one, other: one.T @ other,
    "second": lambda one, other: one @ other.T,
}
