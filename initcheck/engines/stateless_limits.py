"""What the stateless ensemble cannot match ``fit`` on, found before it trains."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.own_models import OwnData, leaves_of
from initcheck.engines.replacing import replaced
from initcheck.engines.reuse import named, read_values, write_values
from initcheck.engines.stateless_steps import Array, MemberState, MemberSteps
from initcheck.frameworks.backend_calls import apply_gradients
from initcheck.texts import for_terminal, reason_of, with_article

_OWN_LOOPS = ("fit", "evaluate", "make_train_function", "make_test_function")
_STATEFUL = {
    r"(Eager)?PyFunc.*": "calls Python at every step",
    r"Assign.*|ResourceScatter.*|Scatter(Add|Sub|Update)": "writes to a tf.Variable that is none of the model's",
    r"Random(?!Dataset).*|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial|Stateful(Uniform|Normal|Trunc).*|Rng.*":
        "draws from TensorFlow's global generator",
}  # fmt: skip
_CONTROL_FLOW = r"(Stateless)?(If|While|Case)"
# Steps of these alone are faster compiled, by a quarter to two thirds as measured; patches, attention and unrolled
# recurrence are slower. XLA draws other noise than TensorFlow, but for uniform noise, which is computed in integers.
_FASTER_IN_XLA = re.compile(
    r"Abs|Add(V2|N)?|ArgMax|BiasAdd(Grad)?|Bit.*|Broadcast.*|Cast|Const|Cos|Div.*|Equal|ExpandDims|Erfc?|Exp|Expm1|Fill"
    r"|Floor.*|Greater(Equal)?|Identity(N)?|Less(Equal)?|Log(1p|ical.*|Softmax)?|MatMul|Max(imum)?|Mean|Min(imum)?|Mul(NoNan)?"
    r"|Neg|NoOp|NotEqual|Pack|Placeholder|Pow|Prod|Range|Re(adVariableOp|alDiv|ciprocal|shape)|Relu6?(Grad)?"
    r"|Rsqrt(Grad)?|Select(V2)?|Sigmoid(Grad)?|Sign|Softmax|Softplus(Grad)?|(Sparse)?SoftmaxCrossEntropyWithLogits"
    r"|Sqrt(Grad)?|Square(dDifference)?|Squeeze|StatelessRandom(GetKeyCounter|UniformV2)|StopGradient|StridedSlice|Sub|Sum"
    r"|Tanh(Grad)?|Tile|ZerosLike"
)
_PROBED_STEPS = 3
_PROBE_TOLERANCE = 1e-4  # of a step's size: a rule that differs at all differs by more, rounding by less


def require_stateless(keras: Any, model: Any, *data: OwnData | None) -> None:
    """Refuses a model, or data, by what they are.

    Raises:
        UnsuitableError: The first reason, as a clause.
    """
    require_ordinary(keras, model, *data)
    if (backend := keras.backend.backend()) != "tensorflow":
        raise UnsuitableError(f"it trains on TensorFlow, and Keras's backend is {backend}")
    if model.jit_compile:
        raise UnsuitableError("its model is compiled with jit_compile, and XLA draws other noise")
    if getattr(model, "_distribute_strategy", None) is not None:
        raise UnsuitableError("its model is made under a tf.distribute.Strategy")
    require_plain_optimizer(model.optimizer, "TFOptimizer")


def require_ordinary(keras: Any, model: Any, *data: OwnData | None) -> None:
    """Refuses a model, or data, that an ensemble can match ``fit`` on with no backend.

    Raises:
        UnsuitableError: The first reason, as a clause.
    """
    if keras.__version__.startswith("2."):
        raise UnsuitableError("Keras 2 has no stateless steps")
    if (floatx := keras.backend.floatx()) != "float32":
        raise UnsuitableError(f"Keras computes in {floatx} (floatx), while the engine is tried in float32")
    _require_arrays([one for one in data if one is not None])
    if not model.built:
        raise UnsuitableError(f"its model, {with_article(type(model).__name__)}, has no weights until it is called")
    if not model.compiled or model.optimizer is None:
        raise UnsuitableError("its model is not compiled with an optimizer")
    _require_own_loops(keras, model)
    if not model.trainable_variables:
        raise UnsuitableError("its model has no weight that training changes")
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False):
            raise UnsuitableError(f"{named(model, layer)} keeps its state from batch to batch")
        policy = layer.dtype_policy
        if policy.compute_dtype != "float32" or policy.variable_dtype != "float32":
            raise UnsuitableError(f"{named(model, layer)} computes in {for_terminal(policy.name)}")


def _require_arrays(data: Sequence[OwnData]) -> None:
    for one in data:
        if one.in_batches:
            raise UnsuitableError(f"its data are {with_article(type(one.x).__name__)}, which makes batches itself")
        for leaf in leaves_of([one.x, one.y, one.sample_weight]):
            if leaf.dtype.kind not in "fiub":
                raise UnsuitableError("its data hold texts or objects")
            if leaf.dtype.kind == "f" and not np.isfinite(leaf).all():  # fused kernels may drop NaN
                raise UnsuitableError("its data hold NaN or infinities")
        if one.y is None:
            raise UnsuitableError("its data have no targets")


def _require_own_loops(keras: Any, model: Any) -> None:
    for name in _OWN_LOOPS:
        if getattr(type(model), name) is not getattr(keras.Model, name) or name in vars(model):
            raise UnsuitableError(f"its model has {name} of its own")
    if model.run_eagerly:
        raise UnsuitableError("its model is compiled with run_eagerly, so that its code may depend on values")
    if model.steps_per_execution != 1:
        raise UnsuitableError("its model is compiled with steps_per_execution")


def require_plain_optimizer(optimizer: Any, base: str) -> None:
    """Refuses an optimizer whose steps are not of tensors alone.

    Args:
        optimizer: The optimizer.
        base: The class that Keras's own have on the backend.

    Raises:
        UnsuitableError: The reason, as a clause.
    """
    kind = for_terminal(type(optimizer).__name__)
    if base not in {one.__name__ for one in type(optimizer).__mro__}:
        raise UnsuitableError(f"its optimizer, {with_article(kind)}, is none of Keras's")
    within = [name for name, value in vars(optimizer).items() if hasattr(value, "apply_gradients")]
    if within or hasattr(optimizer, "optimizers"):
        raise UnsuitableError(f"its optimizer, {with_article(kind)}, steps by others within it")
    # Both are decided by a tensor at every step, in a branch whose values do not leave it.
    if getattr(optimizer, "gradient_accumulation_steps", None):
        raise UnsuitableError("its optimizer sets gradient_accumulation_steps")
    if optimizer.use_ema and optimizer.ema_overwrite_frequency:
        raise UnsuitableError("its optimizer sets ema_overwrite_frequency")


class OptimizerSteps(Protocol):
    """The optimizer's steps as a function of a state."""

    variables: MemberState

    def apply(self, state: MemberState, count: Any, gradients: Sequence[Sequence[Any]]) -> list[Any]:
        """The trainable weights after steps by those gradients, ``count`` having been taken before."""


def require_same_steps(model: Any, steps: OptimizerSteps) -> None:
    """Refuses an optimizer whose steps over states are not those over variables.

    A few steps are taken both ways, from gradients drawn once; the variables are put back.

    Raises:
        UnsuitableError: A weight ends elsewhere, or the steps cannot be taken.
    """
    optimizer = model.optimizer
    trainable, slots = steps.variables.trainable, steps.variables.slots
    kept = [optimizer.iterations, *trainable, *slots]
    values = read_values(kept)
    stream = np.random.RandomState(0)
    gradients = [
        [stream.normal(size=tuple(one.shape)).astype(np.float32) for one in trainable] for _ in range(_PROBED_STEPS)
    ]
    what = f"its optimizer, {with_article(for_terminal(type(optimizer).__name__))},"
    try:
        start = MemberState(*(read_values(part) for part in steps.variables))
        own = steps.apply(start, values[0], gradients)
        for each in gradients:
            apply_gradients(optimizer, each, trainable)
        differ = not all(
            _close(after, variable.numpy(), before)
            for after, variable, before in zip(own, trainable, start.trainable, strict=True)
        )
    except Exception as error:
        raise UnsuitableError(f"{what} cannot step without variables: {reason_of(error)}") from error
    finally:
        write_values(kept, values)
    if differ:
        raise UnsuitableError(f"{what} reads variables while it writes to them, so that its steps differ from fit's")


def _close(one: Array, other: Array, before: Array) -> bool:
    size = max(float(np.abs(other - before).max(initial=0.0)), float(np.finfo(np.float32).eps))
    return bool(np.all(np.abs(np.asarray(one) - other) <= _PROBE_TOLERANCE * size + 4 * np.spacing(np.abs(other))))


def require_pure(steps: MemberSteps, batch: Any) -> Any:
    """Traces the steps of one member; refuses what they would change or read beside its state.

    Returns:
        The traced steps.

    Raises:
        UnsuitableError: The first such thing, or that the steps cannot be traced.
    """
    import tensorflow as tf

    state = MemberState(*([tf.TensorSpec(one.shape, one.dtype) for one in part] for part in steps.variables))
    count = tf.TensorSpec((), steps.count_dtype)

    def both(state: MemberState, count: Any) -> Any:
        after = steps.train(state, count, batch)
        return after, steps.results(steps.test(after, batch))

    try:
        traced = tf.function(both, autograph=False).get_concrete_function(state, count)
    except UnsuitableError:
        raise
    except Exception as error:
        raise UnsuitableError(f"its training step cannot be traced over states: {reason_of(error)}") from error
    operations = _operations_of(traced)
    for pattern, what in _STATEFUL.items():
        if any(re.fullmatch(pattern, operation) for operation in operations):
            raise UnsuitableError(f"its training step {what}")
    for name, value in traced.structured_outputs[1].items():
        if value.shape.rank != 0:
            raise UnsuitableError(f"its metric {for_terminal(name)!r} is no single number")
    return traced


def require_stackable(steps: MemberSteps, batch: Any, traced: Any) -> None:
    """Traces a step of two members where the traced steps of one branch or loop, which often cannot be stacked.

    Raises:
        UnsuitableError: The step cannot be stacked.
    """
    import tensorflow as tf

    if not any(re.fullmatch(_CONTROL_FLOW, operation) for operation in _operations_of(traced)):
        return
    state = MemberState(*([tf.TensorSpec((2, *one.shape), one.dtype) for one in part] for part in steps.variables))

    def both(state: MemberState, count: Any) -> Any:
        return tf.vectorized_map(lambda member: steps.train(member, count, batch), state, warn=False)

    try:
        with replaced(tf.get_logger(), disabled=True):  # which prints the whole trace
            tf.function(both, autograph=False).get_concrete_function(state, tf.TensorSpec((), steps.count_dtype))
    except Exception as error:
        raise UnsuitableError(f"its training step cannot be stacked: {reason_of(error)}") from error


def require_same_constants(traced: Any, other: Any) -> None:
    """Refuses a model whose builds hold different numbers outside of variables: members would share one build's.

    Args:
        traced: The traced steps of one build.
        other: Those of another seed's build.

    Raises:
        UnsuitableError: They differ.
    """
    if _constants_of(traced) != _constants_of(other):
        raise UnsuitableError("its builds under two seeds differ in numbers that are in no variable, or in their steps")


def _constants_of(traced: Any) -> list[bytes]:
    return sorted(node.attr["value"].tensor.SerializeToString() for node in _nodes_of(traced) if node.op == "Const")


def _operations_of(traced: Any) -> set[str]:
    return {node.op for node in _nodes_of(traced)}


def _nodes_of(traced: Any) -> list[Any]:
    """The operations of a traced function, and of the functions that it calls."""
    definition = traced.graph.as_graph_def()
    return [*definition.node, *(node for function in definition.library.function for node in function.node_def)]


def is_faster_in_xla(traced: Any) -> bool:
    """Whether XLA is known to compute the traced steps faster than TensorFlow's graph, from the same noise."""
    return all(map(_FASTER_IN_XLA.fullmatch, _operations_of(traced)))


def count_bytes(traced: Any) -> int:
    """The bytes of all values of a traced function whose shape is known, were none freed before its end."""
    tensors = [one for operation in traced.graph.get_operations() for one in operation.outputs]
    known = [one for one in tensors if one.shape.is_fully_defined() and one.dtype.size]
    return sum(one.dtype.size * int(one.shape.num_elements()) for one in known) or 1
