"""The loss before training against that of the best constant prediction, and outputs that do not suit their loss."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.engines.own_models import mistakes_in
from initcheck.engines.probed_passes import ModelPass, ProbedRows
from initcheck.models.best_constants import BINARY, KNOWN_LOSSES, NATS, ONE_HOT, OTHER_NAMES, SPARSE, KnownLoss
from initcheck.models.diagnosis import FALSE_ALARM_RATE, FirstLoss, ModelFinding
from initcheck.statistics.t_intervals import lower_end, mean_over

TOO_LARGE, ONE_UNIT = "a first loss far above that of a constant", "a softmax over one unit"
_LEAST_ROWS = 8  # fewer are predicted too well by their own constant
_TOLERANCE = 1e-3  # of a sum of probabilities
_SMALL = 1e-12

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FoundInFirstLoss:
    """What the first loss shows.

    Attributes:
        findings: What is wrong.
        losses: The first loss of each output.
        unknown: The losses that were not looked at.
    """

    findings: tuple[ModelFinding, ...] = ()
    losses: tuple[FirstLoss, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Output:
    """One output: its loss as an object, its targets, and what each pass returned."""

    name: str
    loss: Any
    kind: str
    targets: npt.NDArray[Any]
    weights: Values
    weighted: bool
    values: list[npt.NDArray[Any]]


def find_in_first_loss(keras: Any, model: Any, passes: Sequence[ModelPass], rows: ProbedRows) -> FoundInFirstLoss:
    """The first loss of each output over reseeds, and whether outputs suit their loss.

    Args:
        keras: The framework.
        model: The compiled model, for its losses.
        passes: A pass under each of several seeds, over those rows.
        rows: The batch.

    Raises:
        InitcheckError: A loss cannot be evaluated.
    """
    if rows.targets is None or rows.size < _LEAST_ROWS:
        return FoundInFirstLoss(unknown=(f"fewer than {_LEAST_ROWS} rows",) if rows.targets is not None else ())
    findings: list[ModelFinding] = []
    losses: list[FirstLoss] = []
    unknown: list[str] = []
    outputs = _outputs(keras, model, passes, rows)
    for one in outputs:
        known = KNOWN_LOSSES.get(one.kind)
        if known is None:
            unknown.append(one.kind or "a loss of the model's own")
            continue
        if unsuited := _find_unsuited(one, passes[0]):
            findings.append(unsuited)
        first = _first_loss(one, known)
        losses.append(first)
        values = np.array([_value(one, value) for value in one.values])
        if unsuited is None and _is_too_large(values, first.limit, FALSE_ALARM_RATE / len(outputs)):
            findings.append(_finding(first, one, len(passes)))
    return FoundInFirstLoss(tuple(findings), tuple(losses), tuple(unknown))


def _is_too_large(values: Values, limit: float, rate: float) -> bool:
    """Whether the mean of the logarithm exceeds the limit's at that false-alarm rate; or is infinite."""
    if not np.isfinite(values).all():
        return True
    if len(values) < 2 or not (values > 0).all() or limit < _SMALL:  # of constant targets, for example
        return False
    return lower_end(np.log(values), rate) > math.log(limit)


def _first_loss(one: _Output, known: KnownLoss) -> FirstLoss:
    units = one.values[0].shape[-1] if one.values[0].ndim > 1 else 1
    best = known.best(one.targets.astype(np.float64), one.weights, units)
    guess = np.full_like(best, 1 / units if one.kind in (SPARSE, ONE_HOT) else 0.5)
    if known.logit and _option(one.loss, "from_logits"):
        best, guess = known.logit(best), known.logit(guess)
    constant = _value(one, _like(best, one.values[0]))
    worse = max(constant, _value(one, _like(guess, one.values[0])))
    limit = known.factor * constant if known.factor else worse + NATS
    return FirstLoss(one.name, one.kind, mean_over([_value(one, value) for value in one.values]), constant, limit)


def _like(constant: Values, output: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    shaped = constant.reshape(constant.shape if constant.ndim <= output.ndim - 1 else output.shape[1:])
    return np.broadcast_to(shaped, output.shape).astype(np.float32)


def _value(one: _Output, output: npt.NDArray[Any]) -> float:
    with mistakes_in("the model: its loss", "fix it"):
        return float(
            np.asarray(
                one.loss(one.targets, output.astype(np.float32), sample_weight=one.weights if one.weighted else None)
            )
        )


def _finding(first: FirstLoss, one: _Output, count: int) -> ModelFinding:
    scale = math.sqrt(float(np.mean([np.mean(np.square(value.astype(np.float64))) for value in one.values])))
    if first.loss in (SPARSE, ONE_HOT, BINARY):
        why = f"more than {NATS:g} nats above guessing, which logits of a standard deviation of 8 or more cost"
        remedy = "scale the last layer's kernel and what it is given down (glorot_uniform, normalized inputs)"
    else:
        y = one.targets.astype(np.float64)
        why = (
            f"{first.first.value / max(first.constant, _SMALL):.3g} times; outputs have a root mean square of "
            f"{scale:.3g}, targets a mean of {y.mean():.3g} and a standard deviation of {y.std():.3g}"
        )
        remedy = "standardize the targets, set the last bias to their mean, or scale the last layer's kernel"
    return ModelFinding(
        TOO_LARGE,
        first.output or "the model's output",
        f"{first.loss} {first.first.value:.4g} [{first.first.low:.4g}, {first.first.high:.4g}] over {count} reseeds, "
        f"the best constant {first.constant:.4g}: {why} (a finding beyond {first.limit:.4g}, at a false-alarm rate of "
        f"{FALSE_ALARM_RATE:g} for all outputs)",
        remedy,
    )


# Outputs and losses.


def _find_unsuited(one: _Output, first: ModelPass) -> ModelFinding | None:
    """Probabilities where the loss takes logits, or logits where it takes probabilities; or a softmax of one unit."""
    where = one.name or "the model's output"
    if one.values[0].shape[-1] == 1 and all((value == 1).all() for value in one.values):
        return ModelFinding(
            ONE_UNIT,
            where,
            f"every prediction of {len(one.values)} reseeds is 1, whatever the weights",
            "use sigmoid for two classes, or one unit for each of them",
        )
    if one.kind not in (SPARSE, ONE_HOT, BINARY):
        return None
    logits = bool(_option(one.loss, "from_logits"))
    values = np.concatenate([value.reshape(-1, value.shape[-1] if value.ndim > 1 else 1) for value in one.values])
    values = values.astype(np.float64)
    inside = bool(((values >= -_TOLERANCE) & (values <= 1 + _TOLERANCE)).all())
    summed = values.shape[-1] > 1 and bool((np.abs(values.sum(axis=-1) - 1) < _TOLERANCE).all())
    count = f"all {len(values):,} predictions of {len(one.values)} reseeds"
    last = {call.activation for call in first.calls[-3:]}
    if logits and inside and (summed if one.kind != BINARY else "sigmoid" in last):
        floor = math.log1p((values.shape[-1] - 1) / math.e) if one.kind != BINARY else math.log1p(1 / math.e)
        twice = "softmax" if one.kind != BINARY else "sigmoid"
        return ModelFinding(
            f"{twice} taken twice",
            where,
            f"{count} are probabilities already, and {one.kind} takes them for logits (from_logits=True): "
            + (f"it cannot fall below {floor:.3g}" if one.kind != BINARY else "for class 0 it cannot fall below 0.693"),
            f"from_logits=False, or a last layer without {twice}",
        )
    if not logits and not inside:
        outside = float(np.mean((values < -_TOLERANCE) | (values > 1 + _TOLERANCE)))
        return ModelFinding(
            "logits taken for probabilities",
            where,
            f"{outside:.0%} of the outputs in {len(one.values)} reseeds lie outside 0 and 1, where {one.kind} takes "
            "them for probabilities (from_logits=False) and cuts them off: no gradient there",
            "from_logits=True, or a last layer with " + ("sigmoid" if one.kind == BINARY else "softmax"),
        )
    return None


def _outputs(keras: Any, model: Any, passes: Sequence[ModelPass], rows: ProbedRows) -> list[_Output]:
    """The outputs, each with its loss; empty where they cannot be matched."""
    outputs, targets, losses = passes[0].outputs, rows.targets, model.loss
    names = list(outputs) if isinstance(outputs, Mapping) else list(getattr(model, "output_names", None) or [])
    values = [_parts(one.outputs, names) for one in passes]
    count = len(values[0])
    if len(names) != count:
        names = [f"output {number}" for number in range(count)]
    each = _parts_or_none(losses, names, count)
    of_targets = _parts_or_none(targets, names, count)
    if each is None or of_targets is None:
        return [_Output("", None, _name_of(losses), np.zeros(0), np.ones(0), False, [])] if losses is not None else []
    of_weights = _parts_or_none(rows.weights, names, count) or [None] * count
    found = []
    for place, (name, loss, y, weights) in enumerate(zip(names, each, of_targets, of_weights, strict=True)):
        if loss is None or y is None:
            continue
        made = _made(keras, loss)
        array = np.asarray(y)
        output = np.asarray(values[0][place])
        kind = _name_of(loss if made is None else made)
        if array.ndim == output.ndim - 1 and kind != SPARSE:
            array = array[..., None]
        if kind == SPARSE and array.ndim == output.ndim and array.shape[-1] == 1:
            array = array[..., 0]
        row = np.ones(len(array)) if weights is None else np.asarray(weights, np.float64).reshape(len(array), -1)[:, 0]
        suits = array.shape == (output.shape[:-1] if kind == SPARSE else output.shape) and row.sum() > 0
        if made is not None and not suits:
            kind = f"{kind} of targets of another shape than the outputs"
        found.append(
            _Output(
                name if count > 1 else "",
                made,
                kind,
                array,
                row,
                weights is not None,
                [np.asarray(one[place]) for one in values],
            )
        )
    return found


def _made(keras: Any, loss: Any) -> Any:
    """The loss as an object that takes weights of rows; None where it is a function of the user's."""
    with contextlib.suppress(ValueError, TypeError):
        if isinstance(loss, keras.losses.Loss):
            return loss
        function = keras.losses.get(loss)
        if isinstance(function, keras.losses.Loss):
            return function
        name = OTHER_NAMES.get(function.__name__, function.__name__)
        kind = {_lower(one): getattr(keras.losses, one) for one in dir(keras.losses) if one[0].isupper()}.get(name)
        if kind is not None and function.__module__.partition(".")[0] in ("keras", "tf_keras"):
            return kind()
    return None


def _lower(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")


def _name_of(loss: Any) -> str:
    """The loss's name as ``mean_squared_error``; of one of the user's, its class or function."""
    if loss is None:
        return ""
    if isinstance(loss, str):
        return loss
    kind = type(loss)
    if kind.__module__.partition(".")[0] in ("keras", "tf_keras"):
        return _lower(kind.__name__)
    return str(getattr(loss, "__name__", kind.__name__))


def _option(loss: Any, name: str) -> Any:
    """An option of a loss, which Keras keeps as an attribute or among the arguments of its function."""
    kept = getattr(loss, "_fn_kwargs", {})
    return getattr(loss, name, kept.get(name))


def _parts(outputs: Any, names: Sequence[str]) -> list[Any]:
    if isinstance(outputs, Mapping):
        return [outputs[name] for name in names]
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _parts_or_none(structure: Any, names: Sequence[str], count: int) -> list[Any] | None:
    """One a name; None where the structure has not one for each."""
    if structure is None:
        return None
    if isinstance(structure, Mapping):
        return [structure.get(name) for name in names] if set(structure) <= set(names) else None
    if isinstance(structure, list | tuple):
        return list(structure) if len(structure) == count else None
    if count == 1:
        return [structure]
    return [structure] * count if isinstance(structure, str) or callable(structure) else None
