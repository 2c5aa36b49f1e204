"""Whether a model infers one thing, however it is asked, and leaves its weights alone while it does."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from initcheck.digests import digest
from initcheck.engines.own_models import as_tensors, leaves_of, mistakes_in
from initcheck.engines.own_trainings import TracedModel
from initcheck.engines.replacing import replaced
from initcheck.models.diagnosis import ModelFinding, listed
from initcheck.texts import for_terminal

# Of the largest output. Compiled and eager float32 differ by about 1e-6 a layer; bfloat16 resolves 4e-3.
_TOLERANCE, _HALF_TOLERANCE = 1e-3, 5e-2
_AMPLIFIED = 30.0  # a sum of n terms rounds √n times; several layers add theirs
_PLAIN = "a plain call"
_DRAWS = "a layer draws, or takes its training path, in inference"
_OF_LOSS = "it draws, or keeps what it counts from one evaluation to the next: let it do neither, or reset it"
_STATEFUL = "its state goes on from call to call (stateful=True): stateful=False, or reset_states() before each"
_PASS_ON = "pass training on to the layers inside, and let each look at it before it draws or moves a statistic"


def find_in_inference(keras: Any, trained: TracedModel) -> tuple[list[ModelFinding], list[str], list[str]]:
    """What predict, evaluate, a plain call and ``training=False`` disagree on, and the weights that they move.

    Returns:
        The findings, notes on what Keras's own layers do in a plain call, and the weights that are moved.

    Raises:
        InitcheckError: The model cannot be called.
    """
    if trained.data is None:
        return [], [], []
    model = trained.model
    inputs, targets, weights = trained.data.batch()
    call = as_tensors(keras, inputs)
    ways: dict[str, Callable[[], Any]] = {
        "predict": lambda: model.predict(inputs, verbose=0),
        "a second predict": lambda: model.predict(inputs, verbose=0),
        "call(training=False)": lambda: model(call, training=False),
        _PLAIN: lambda: model(call),
    }
    if targets is not None:
        ways["evaluate"] = lambda: model.evaluate(inputs, targets, sample_weight=weights, verbose=0)
        ways["a second evaluate"] = ways["evaluate"]
    outputs: dict[str, list[Any]] = {}
    moved: dict[str, list[str]] = {}
    for way, act in ways.items():
        before = _weights(model)
        with mistakes_in(f"the model: {way}", "fix its call"):
            outputs[way] = [np.asarray(leaf, np.float64) for leaf in leaves_of(act())]
        after = _weights(model)
        moved[way] = [name for name, one, two in zip(trained.trace.weights, before, after, strict=False) if one != two]
    tolerance = _TOLERANCE if _is_single(model) else _HALF_TOLERANCE
    off = _disagreement(outputs, tolerance)
    notes = []
    if list(off) == [_PLAIN] and (layer := _layer_that_draws(keras, model, call)) and layer.of_keras:
        off = {}
        notes.append(
            f"In a plain call of the model, {layer.name} of Keras draws: call it with training=False, or predict."
        )
    if not all(np.isfinite(leaf).all() for leaves in outputs.values() for leaf in leaves):
        off = {}  # which is looked into by passes
    if off and not _draws(off) and _layer_that_draws(keras, model, call, training=False) is None:
        largest = max(off.values())
        if math.isfinite(largest) and (by_rounding := _by_rounding(model, call)) * _AMPLIFIED > largest:
            off = {}
            notes.append(
                "The model amplifies rounding: with weights perturbed by one ulp its outputs move by up to "
                f"{by_rounding:.2g} of the largest; ways of inference, which round differently, by {largest:.2g}."
            )
    findings = _find_moved(moved)
    disagreement, of_moved = _find_disagreement(keras, model, call, off, tolerance)
    if not (findings and of_moved):  # the same cause
        findings += disagreement
    return findings, notes, sorted({name for names in moved.values() for name in names})


def _find_moved(moved: dict[str, list[str]]) -> list[ModelFinding]:
    ways = {way: names for way, names in moved.items() if names and not way.startswith("a second")}
    if not ways:
        return []
    names = list(dict.fromkeys(name for names in ways.values() for name in names))
    return [
        ModelFinding(
            "inference moves weights",
            listed(names),
            f"moved by {', '.join(ways)}; compared bit by bit",
            _PASS_ON,
        )
    ]


def _disagreement(outputs: dict[str, list[Any]], tolerance: float) -> dict[str, float]:
    """The ways of inference that are off by more than that, and by how much."""
    off = {}
    for way, values in outputs.items():
        reference = outputs["evaluate" if way.endswith("evaluate") else "predict"]
        if (distance := _distance(reference, values)) > tolerance:
            off[way] = distance
    return off


def _draws(off: dict[str, float]) -> set[str]:
    """The ways that differ from themselves."""
    return {"a second predict", "a second evaluate"} & set(off)


def _by_rounding(model: Any, inputs: Any) -> float:
    """By how much of the largest output weights perturbed by one ulp move the outputs."""
    before = [np.asarray(leaf, np.float64) for leaf in leaves_of(model(inputs, training=False))]
    weights = [weight for weight in model.trainable_weights if np.asarray(weight).dtype in (np.float32, np.float64)]
    values = [np.array(weight) for weight in weights]
    try:
        for weight, value in zip(weights, values, strict=True):
            weight.assign(np.nextafter(value, np.full_like(value, np.inf)))
        after = [np.asarray(leaf, np.float64) for leaf in leaves_of(model(inputs, training=False))]
    finally:
        for weight, value in zip(weights, values, strict=True):
            weight.assign(value)
    return _distance(before, after)


def _find_disagreement(
    keras: Any, model: Any, inputs: Any, off: dict[str, float], tolerance: float
) -> tuple[list[ModelFinding], bool]:
    """What ways of inference disagree on; and whether it begins in a layer that moves weights of its own."""
    if not off:
        return [], False
    again = _draws(off)
    layer = _layer_that_draws(keras, model, inputs, **({} if list(off) == [_PLAIN] else {"training": False}))
    if set(off) == {"a second evaluate"}:  # predictions agree
        where, remedy = "the loss, or a metric", _OF_LOSS
    else:
        where = layer.name if layer else "the model's outputs"
        remedy = _STATEFUL if layer and layer.stateful else f"{_DRAWS}: {_PASS_ON}"
    return [
        ModelFinding(
            "inference that gives another result each time" if again else "ways of inference that disagree",
            where,
            f"{', '.join(off)}: off by up to {max(off.values()):.2g} of the largest output (allowed {tolerance:g})",
            remedy,
        )
    ], layer is not None and layer.moves


def _distance(one: list[Any], two: list[Any]) -> float:
    """The largest difference over the largest value; infinite where shapes differ or one alone is no number."""
    if [value.shape for value in one] != [value.shape for value in two]:
        return float("inf")
    worst = 0.0
    for a, b in zip(one, two, strict=True):
        if not np.array_equal(np.isfinite(a), np.isfinite(b)):
            return float("inf")
        a, b = np.nan_to_num(a), np.nan_to_num(b)
        worst = max(worst, float(np.abs(a - b).max(initial=0)) / (float(np.abs(a).max(initial=0)) or 1.0))
    return worst


def _weights(model: Any) -> list[str]:
    return [digest([np.asarray(weight)]) for weight in model.weights]


def _is_single(model: Any) -> bool:
    layers = model._flatten_layers() if hasattr(model, "_flatten_layers") else model.layers
    return all(str(getattr(layer, "compute_dtype", "float32")) in ("float32", "float64") for layer in layers)


@dataclass(frozen=True)
class _LayerCall:
    """One call of a layer.

    Attributes:
        name: Its path.
        of_keras: Whether it is Keras's.
        given: A digest of what it was given.
        output: A digest of what it returned.
        moves: Whether the call moved weights of its own.
        stateful: Whether it is a recurrent layer whose state goes on from call to call.
    """

    name: str
    of_keras: bool
    given: str
    output: str
    moves: bool
    stateful: bool


def _layer_that_draws(keras: Any, model: Any, inputs: Any, **training: bool) -> _LayerCall | None:
    """The first layer that gives another output for equal inputs in two calls, the innermost first."""
    one, two = (_layer_calls(keras, model, inputs, **training) for _ in range(2))
    for first, second in zip(one, two, strict=False):
        if (first.name, first.given) == (second.name, second.given) and first.output != second.output:
            return first
    return None


def _of_layer(layer: Any) -> list[str]:
    """Digests of the weights that it adds itself and that no step trains."""
    own = {id(one) for part in getattr(layer, "_layers", []) for one in part.weights}
    return [digest([np.asarray(one)]) for one in layer.non_trainable_weights if id(one) not in own]


def _layer_calls(keras: Any, model: Any, inputs: Any, **training: bool) -> list[_LayerCall]:
    seen: list[_LayerCall] = []
    kind = keras.layers.Layer
    original = kind.__call__

    def noting(layer: Any, *given: Any, **named: Any) -> Any:
        before = _of_layer(layer)
        output = original(layer, *given, **named)
        with contextlib.suppress(Exception):  # what is no tensor is no evidence
            name = for_terminal(str(getattr(layer, "path", "") or layer.name))
            of_keras = type(layer).__module__.partition(".")[0] in ("keras", "tf_keras")
            digests = digest(leaves_of([*given, *named.values()])), digest(leaves_of(output))
            seen.append(
                _LayerCall(
                    name, of_keras, *digests, before != _of_layer(layer), bool(getattr(layer, "stateful", False))
                )
            )
        return output

    with replaced(kind, __call__=noting), mistakes_in("the model: a call", "fix its call"):
        model(inputs, **training)
    return seen
