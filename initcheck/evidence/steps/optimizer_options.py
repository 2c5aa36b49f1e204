"""What every optimizer takes and keeps: options, averages, rates, types, coarse, names and state, one row for each."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.catalog.optimizers import FTRL, OPTIMIZERS, Optimizer
from initcheck.evidence.composition.promises import Row, Seen, close, is_keras_3, normals, refusal
from initcheck.evidence.steps.hand_steps import step, the_number, variable
from initcheck.frameworks.arrays import as_array

Array = np.ndarray[Any, Any]
_About = Callable[[Any, Any], Iterator[Seen]]

# The arguments that the rows below give every optimizer.
COMMON_OPTIONS = (
    *("learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor"),
    *("use_ema", "ema_momentum", "ema_overwrite_frequency", "gradient_accumulation_steps"),
)
_RATE, _DECAY, _CLIP, _KEPT = 0.25, 0.125, 0.5, 0.75
_MANY = 2**24 + 1  # the first whole number that single precision does not have
# Without the weight decay that some have by default.
_NO_DECAYS = ("weight_decay", "adam_weight_decay")
_START = (normals(1, 3, 2).astype(float), normals(2, 2).astype(float))
_SLOPES = [(normals(number, 3, 2).astype(float), normals(number + 9, 2).astype(float)) for number in range(3, 9)]


def _plain(kind: Any, **options: Any) -> Any:
    given = {name: 0.0 for name in _NO_DECAYS if name in kind(_RATE).get_config()}
    return kind(**{"learning_rate": _RATE, **given, **options})


def _weights(keras: Any, dtype: str = "float32") -> list[Any]:
    names = zip(_START, ("kernel", "bias"), strict=True)
    return [variable(keras, start, name, dtype) for start, name in names]


def _same(one: Any, other: Any, relative: float = 1e-5) -> bool:
    return all(close(a, b, relative) for a, b in zip(one, other, strict=True))


def accumulated(keras: Any, kind: Any) -> Iterator[Seen]:
    """Gradients over two steps: unscaled, averaged, then clipped; and then the step without options is taken."""
    options = {"gradient_accumulation_steps": 2, "loss_scale_factor": 4.0, "clipnorm": _CLIP}
    tested, plain = _plain(kind, **options), _plain(kind)
    weights, others = _weights(keras), _weights(keras)
    for number in range(0, 4, 2):
        pair = _SLOPES[number : number + 2]
        before = [as_array(one) for one in weights]
        step(tested, weights, [4.0 * one for one in pair[0]])
        yield f"whether step {number + 1} leaves the weights", True, _same(weights, before, 0.0)
        step(tested, weights, [4.0 * one for one in pair[1]])
        means = [(a + b) / 2 for a, b in zip(*pair, strict=True)]
        step(plain, others, [one * min(1.0, _CLIP / float(np.linalg.norm(one))) for one in means])
        yield f"whether step {number + 2} is that of both", True, _same(weights, others)


def averaged(keras: Any, kind: Any) -> Iterator[Seen]:
    """Averages of the weights, which replace them every third step and in the end; the gradient of all is clipped."""
    options = {"use_ema": True, "ema_momentum": _KEPT, "ema_overwrite_frequency": 3, "global_clipnorm": _CLIP}
    tested, plain = _plain(kind, **options), _plain(kind)
    weights, others, averages = _weights(keras), _weights(keras), list[Array]()
    for number, slopes in enumerate(_SLOPES[:4], start=1):
        step(tested, weights, slopes)
        length = float(np.sqrt(sum(np.square(one).sum() for one in slopes)))
        step(plain, others, [one * min(1.0, _CLIP / length) for one in slopes])
        now = [as_array(one).astype(float) for one in others]
        averages = [_KEPT * a + (1 - _KEPT) * b for a, b in zip(averages, now, strict=True)] if averages else now
        if number == 3:
            for one, average in zip(others, averages, strict=True):
                one.assign(average)
        yield f"whether weights after step {number} are right", True, _same(weights, others, 1e-4)
    tested.finalize_variable_values(weights)
    yield "whether they are averages in the end", True, _same(weights, averages, 1e-4)


def decayed(keras: Any, kind: Any) -> Iterator[Seen]:
    """Weights shrink by decay times rate before the step, but those that are excluded; values are clipped."""
    options = {name: _DECAY for name in _NO_DECAYS if name in kind(_RATE).get_config()}
    tested, plain = _plain(kind, clipvalue=_CLIP, **options), _plain(kind)
    weights, others = _weights(keras), _weights(keras)
    tested.exclude_from_weight_decay(var_names=["bia"])
    for number, slopes in enumerate(_SLOPES[:2], start=1):
        others[0].assign(as_array(others[0]) * (1 - _DECAY * _RATE))
        step(tested, weights, slopes)
        step(plain, others, [np.clip(one, -_CLIP, _CLIP) for one in slopes])
        yield f"whether weights decay in step {number}, but a bias", True, _same(weights, others)


def resting(keras: Any, kind: Any) -> Iterator[Seen]:
    """Along gradients of zero, weights stay as they are; those of Ftrl are zero as the sum of its gradients is."""
    weights = _weights(keras)
    step(_plain(kind, clipnorm=_CLIP), weights, [0.0, 0.0])
    expected = [0.0 * one if kind.__name__ == FTRL.name else one for one in _START]
    yield "whether weights stay", True, _same(weights, expected)


def rates(keras: Any, kind: Any) -> Iterator[Seen]:
    """A rate is a number, a function without arguments, or a schedule, and a number is assigned another."""
    halves = keras.optimizers.schedules.PiecewiseConstantDecay([1], [2 * _RATE, _RATE])
    after = []
    for words, rate in {"a number": _RATE, "a function": lambda: _RATE, "a schedule": halves}.items():
        tested, weights = _plain(kind, learning_rate=rate), _weights(keras)
        tested.build(weights)
        tested.iterations.assign(2)
        yield f"rate of {words}", _RATE, the_number(tested.learning_rate)
        after.append(step(tested, weights, _SLOPES[0]))
        yield f"whether the step of {words} is that of the number", True, _same(after[0], after[-1])
        if words == "a number":
            for one, number in zip(weights, _START, strict=True):
                one.assign(number)
            tested.learning_rate = _RATE / 2
            yield "rate that is assigned", _RATE / 2, the_number(tested.learning_rate)
            again = step(tested, weights, _SLOPES[0])
            yield "whether the next step is that of the first rate", False, _same(again, after[0])
        if words == "a schedule":
            yield "raised as one assigns to a schedule", "TypeError", refusal(setattr, tested, "learning_rate", 0.5)
            tested.iterations.assign(0)
            yield "rate of a schedule's first step", 2 * _RATE, the_number(tested.learning_rate)
    yield "raised for a whole number", "ValueError", refusal(lambda: kind(1))


def types(keras: Any, kind: Any) -> Iterator[Seen]:
    """Weights of any type, and the state of each in its type; steps are those of single precision, nearly."""
    expected = _weights(keras)
    step(_plain(kind), expected, _SLOPES[0])
    for dtype, error in (("float64", 1e-4), ("float16", 0.02)):
        weights = _weights(keras, dtype)
        optimizer = _plain(kind)
        step(optimizer, weights, _SLOPES[0])
        yield f"whether a step in {dtype} is that of float32", True, _same(weights, expected, error)
        kept = {one.dtype for one in optimizer.variables if tuple(one.shape) == tuple(weights[0].shape)}
        yield f"types of its state in {dtype}", {dtype} if kept else set(), kept


def coarse(keras: Any, kind: Any) -> Iterator[Seen]:
    """Weights of bfloat16 move, nearly as those of single precision."""
    expected, weights = _weights(keras), _weights(keras, "bfloat16")
    for each in (expected, weights):
        step(_plain(kind), each, _SLOPES[0])
    yield "whether a step in bfloat16 is that of float32", True, _same(weights, expected, 0.1)


def _others_of(kind: Any) -> dict[str, Any]:
    """Options that are not the default ones, but for clipping."""
    given: dict[str, Any] = {"ema_overwrite_frequency": 3, "gradient_accumulation_steps": 2, "loss_scale_factor": 4.0}
    for name, default in ((one.name, one.default) for one in inspect.signature(kind).parameters.values()):
        if name not in given and isinstance(default, bool):
            given[name] = not default
        elif name not in given and isinstance(default, int):
            given[name] = default + 1
        elif isinstance(default, float):
            given[name] = default / 2 or _DECAY
    return {**given, "name": "another", "learning_rate": _RATE, "weight_decay": _DECAY}


def names(keras: Any, kind: Any) -> Iterator[Seen]:
    """Its name in lower case is a string for it; so are its class and its configuration; an instance is itself."""
    name, module = kind.__name__, keras.optimizers
    made = kind(_RATE)
    yield "itself", True, module.get(made) is made
    ways: Mapping[str, Callable[[], Any]] = {
        "name": lambda: module.get(name.lower()),
        "configuration": lambda: module.get({"class_name": name, "config": made.get_config()}),
        "serialized": lambda: module.deserialize(module.serialize(made)),
        "get_config": lambda: kind.from_config(made.get_config()),
    }
    for words, get in ways.items():
        one = get()
        yield f"class by its {words}", name, type(one).__name__
        if words != "name":
            yield f"configuration by its {words}", made.get_config(), one.get_config()


def told(_: Any, kind: Any) -> Iterator[Seen]:
    """Its configuration holds every option that it was given, and makes another one with them."""
    for clip in ("clipnorm", "clipvalue", "global_clipnorm"):
        options = {**_others_of(kind), clip: _CLIP}
        config = kind(**options).get_config()
        yield f"options with {clip}", options, {name: config.get(name) for name in options}
        yield f"configuration with {clip}", config, kind.from_config(dict(config)).get_config()


def state(keras: Any, kind: Any) -> Iterator[Seen]:
    """All state is in its variables: in another one, they give the same step; names of their own, first the count."""
    tested, other = _plain(kind), _plain(kind)
    weights, others = _weights(keras), _weights(keras)
    step(tested, weights, _SLOPES[0])
    yield "count of steps", 1, the_number(tested.iterations)
    other.build(others)
    yield "first variables", ["iteration", "learning_rate"], [one.name for one in tested.variables[:2]]
    paths = [one.path for one in tested.variables]
    yield "names that are taken twice", [], sorted({one for one in paths if paths.count(one) > 1})
    yield (
        "raised for state of another shape",
        "ValueError",
        refusal(other.set_weights, [np.zeros((9, 9))] * len(other.variables)),
    )
    other.set_weights([as_array(one) for one in tested.variables])
    for one, right in zip(others, weights, strict=True):
        one.assign(right)
    yield (
        "whether the second step is the same",
        True,
        _same(step(tested, weights, _SLOPES[1]), step(other, others, _SLOPES[1]), 0.0),
    )
    again, store = _plain(kind), dict[str, Array]()
    tested.save_own_variables(store)
    again.build(weights)
    again.load_own_variables(store)
    yield "whether state comes back as stored", True, _same(again.variables, tested.variables, 0.0)
    again.iterations.assign(_MANY)
    yield "count of many steps", _MANY, as_array(again.iterations).tolist()
    step(again, weights, _SLOPES[1])
    yield "count of one more", _MANY + 1, as_array(again.iterations).tolist()
    before = [as_array(one) for one in again.variables]
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        again.load_own_variables({name: 3 * one for name, one in list(store.items())[:-1]})
    yield "whether state without one variable is skipped", True, _same(again.variables, before, 0.0)
    yield "whether it warns of that", True, "Skipping variable loading" in " ".join(str(one.message) for one in seen)


def refusals(keras: Any, kind: Any) -> Iterator[Seen]:
    """Options that its page excludes."""
    for options in (
        {"clipnorm": 1.0, "clipvalue": 1.0},
        {"clipvalue": 1.0, "global_clipnorm": 1.0},
        {"use_ema": True, "ema_momentum": 1.5},
        {"use_ema": True, "ema_overwrite_frequency": 0.5},
        {"gradient_accumulation_steps": 1},
        {"rate_of_nothing": 1.0},
    ):
        yield f"raised for {options}", "ValueError", refusal(lambda given=options: kind(_RATE, **given))
    optimizer, weights = kind(_RATE), _weights(keras)
    yield "raised by gradients before variables", "ValueError", refusal(optimizer.apply, [np.ones((3, 2), np.float32)])
    yield "raised by state before variables", "ValueError", refusal(optimizer.set_weights, [])
    step(optimizer, weights, _SLOPES[0])
    yield (
        "raised by one gradient for two weights",
        "ValueError",
        refusal(optimizer.apply, [np.ones((3, 2), np.float32)]),
    )
    yield "raised by gradients that are all None", "ValueError", refusal(step, optimizer, weights, [None, None])
    yield (
        "raised by a weight that it does not know",
        "ValueError",
        refusal(step, optimizer, _weights(keras), _SLOPES[0]),
    )
    before = as_array(weights[0]).tolist()
    after = step(optimizer, weights, [None, _SLOPES[1][1]])
    yield "whether a weight without a gradient stays", True, after[0] == before


def _row(row: Optimizer, about: _About) -> Row:
    def values(keras: Any, _: Path) -> Iterator[Seen]:
        kind = getattr(keras.optimizers, row.name, None)
        if kind is not None and is_keras_3(keras) and Version(keras.__version__) >= Version(row.since):
            yield from about(keras, kind)

    values.__name__, values.__doc__ = f"{about.__name__}_{row.name}", about.__doc__
    return values


OPTIONS: Mapping[str, Row] = {
    f"{about.__name__}-{row.name}": _row(row, about)
    for about in (accumulated, averaged, decayed, resting, rates, types, coarse, names, told, state, refusals)
    for row in OPTIMIZERS
}
