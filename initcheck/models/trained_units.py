"""Units that the model's own gradient steps never tell apart, and weights that they never move."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from initcheck.engines.own_models import Array
from initcheck.engines.own_trainings import TracedModel
from initcheck.engines.probed_passes import ModelPass
from initcheck.models.diagnosis import ModelFinding, listed
from initcheck.texts import for_terminal

# Relative to a kernel's largest value: equal units that are trained stay within 2e-7 a step by vectorised tails and
# reordered sums, and twenty steps add that up; unlike gradients of the usual size part them by 1e-3 and more.
_PARTED = 1e-4
# Relative to the largest gradient of the units of a group; sums of a batch in another order differ by about 1e-6.
_EQUAL_GRADIENT = 1e-3
_LARGEST = 4_000_000  # elements of a kernel whose units are compared

NEVER_PART = "kernels that are constant: their units never part"
GROUPS = "units that never part"
NEVER_MOVE = "weights that can never move"
ZERO = "the gradient is exactly 0"
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FoundInUnits:
    """What the units show."""

    findings: tuple[ModelFinding, ...] = ()
    notes: tuple[str, ...] = ()


def find_equal_units(
    trained: TracedModel,
    passed: ModelPass | None,
    calm: Callable[[], ModelPass] | None = None,
    outputs: Collection[str] = (),
) -> FoundInUnits:
    """Units of a layer that are equal at first, and whose values and gradients are equal still after a few steps.

    A unit is an index of a kernel's last axis. Where units are equal going in, their next steps differ as soon as
    anything that is their own does: what goes out of them, a bias, dropout, noise. Therefore the model's own steps are
    asked, not the kernel behind: units that the training has not parted, and whose gradients of the last step are
    equal within rounding error, are never parted. A constant kernel is no mistake by itself: a last layer of zeros, or
    one between random ones, parts at the first step.

    Args:
        trained: A training of a few steps.
        passed: A pass of the trained model; None where its gradients are not those of its steps.
        calm: Makes a pass of the model with its initial weights, without dropout and noise; None likewise.
        outputs: The paths of the layers behind which there is no other with a kernel: their units are the model's
            outputs, which the targets tell apart, if anything does.
    """
    if trained.data is None:
        return FoundInUnits()
    weights = list(trained.model.weights)
    after = [np.asarray(weight) for weight in weights]
    trainable = [bool(weight.trainable) for weight in weights]
    if len(after) != len(trained.initial) or not _moved(trained.initial, after, trainable):
        return FoundInUnits()
    gradients = _by_weight(passed, trainable)
    whole: list[str] = []
    groups: list[str] = []
    parted: list[tuple[int, list[list[int]]]] = []
    for place, (name, first, last) in enumerate(zip(trained.trace.weights, trained.initial, after, strict=True)):
        if not trainable[place] or not _has_units(first) or name.rpartition("/")[0] in outputs:
            continue
        if np.array_equal(first, last):  # it is judged by its gradients, see ``find_unmoved``, where these are known
            whole += [name] if passed is None and _is_constant(first) else []
            continue
        equal = _equal_units(first)
        still = [part for group in equal for part in _still_equal(group, last, gradients.get(place), first)]
        if still and _is_constant(first):
            whole.append(name)
        elif still:
            groups.append(f"{name}: {' and '.join(map(_words, still[:2]))} of {first.shape[-1]}")
        elif equal:
            parted.append((place, equal))
    names = [trained.trace.weights[place] for place in _parted_by_chance(parted, calm, trainable)]
    return _found(whole, groups, names, len(trained.trace.losses))


def _parted_by_chance(
    parted: Sequence[tuple[int, list[list[int]]]], calm: Callable[[], ModelPass] | None, trainable: Sequence[bool]
) -> list[int]:
    """The places of those kernels whose equal units have equal gradients without dropout and noise."""
    gradients = _by_weight(calm(), trainable) if calm and parted else {}
    return [
        place
        for place, equal in parted
        if place in gradients and any(_gradient_equal(group, gradients[place]) for group in equal)
    ]


def _found(whole: list[str], groups: list[str], parted: list[str], steps: int) -> FoundInUnits:
    findings, notes = [], []
    remedy = "draw them at random: glorot_uniform, or he_normal before relu"
    if whole:
        effect = f"all units of a layer are equal still, within rounding error, after {steps} steps of training"
        findings.append(ModelFinding(NEVER_PART, listed(whole), f"{effect}, and so are their gradients", remedy))
    if groups:
        effect = (
            f"bitwise equal at first; they and their gradients are equal still after {steps} steps, within rounding"
        )
        findings.append(
            ModelFinding(GROUPS, listed(groups), f"{effect} error", f"{remedy}; so many units count as one each")
        )
    if parted:
        notes.append(
            f"Units of {listed(parted)} start equal and have equal gradients without dropout and noise: nothing else "
            "parts them."
        )
    return FoundInUnits(tuple(findings), tuple(notes))


def find_unmoved(
    trained: TracedModel,
    passes: Sequence[ModelPass],
    untrained: Callable[[], dict[str, list[int]]] = dict,
    *,
    own_step: bool = False,
) -> tuple[list[ModelFinding], list[str]]:
    """Trainable weights that no step moved, and whose gradient is none, or exactly 0 for all rows, in every reseed.

    A vector whose gradient is 0 while a kernel of its layer moves, such as a bias that a difference of two calls takes
    out again, has no effect, and is noted.

    Args:
        trained: A training of a few steps.
        passes: Passes of the model under several seeds.
        untrained: The outputs that the loss does not depend on, and the places of the trainable weights behind each.
        own_step: Whether the model's ``train_step`` is its own.
    """
    if trained.data is None or not trained.trace.losses or len(trained.initial) != len(trained.model.weights):
        return [], []
    still = {
        name
        for name, weight, first in zip(trained.trace.weights, trained.model.weights, trained.initial, strict=True)
        if weight.trainable and np.array_equal(first, np.asarray(weight))
    }
    order = [
        name for name, weight in zip(trained.trace.weights, trained.model.weights, strict=True) if weight.trainable
    ]
    if (
        not passes
        or any(len(one.gradients) != len(order) for one in passes)
        or not np.isfinite(trained.trace.losses).all()
    ):
        return [], []
    vectors = _vectors_beside_moving(trained, still)
    unconnected: list[str] = []
    zero: list[str] = []
    idle: list[str] = []
    for place, name in enumerate(order):
        each = [one.gradients[place] for one in passes]
        if name not in still:
            continue
        if all(one is None for one in each):
            unconnected.append(name)
        elif all(one is None or not np.any(one) for one in each):
            (idle if name in vectors else zero).append(name)
    count, steps = len(passes), len(trained.trace.losses)
    findings = []
    for output, places in untrained().items() if unconnected or zero else ():
        behind = {order[place] for place in places} & {*unconnected, *zero}
        unconnected, zero = ([name for name in names if name not in behind] for names in (unconnected, zero))
        findings += _find_behind(output, [name for name in order if name in behind], steps)
    why = (
        "its train_step hands no optimizer a gradient of theirs" if own_step else "no path leads from the loss to them"
    )
    if unconnected:
        findings.append(
            ModelFinding(
                NEVER_MOVE,
                listed(unconnected),
                f"{why}: no gradient in {count} reseeds, unmoved by {steps} steps",
                "hand their gradients to the optimizer, or set trainable=False"
                if own_step
                else "use them, or take stop_gradient and what has no gradient (argmax, round, casts) out of their "
                "path; or set trainable=False",
            )
        )
    if zero:
        findings.append(
            ModelFinding(
                NEVER_MOVE,
                listed(zero),
                f"{ZERO} for all rows in {count} reseeds, and {steps} steps did not move them",
                "look for relu units that are dead, zeros before zeros, and inputs that are 0: draw kernels at random",
            )
        )
    notes = [f"Without effect: {listed(idle)}, whose gradient is exactly 0, as what comes after takes it out again."]
    return findings, notes if idle else []


def find_all_frozen(trained: TracedModel) -> list[ModelFinding]:
    """A model none of whose weights is trainable, and none moved, as batch statistics would."""
    weights = trained.model.weights
    pairs = zip(trained.initial, weights, strict=False)
    if (
        not weights
        or not trained.trace.losses
        or len(weights) != len(trained.initial)
        or any(one.trainable or not np.array_equal(first, np.asarray(one)) for first, one in pairs)
    ):
        return []
    return [
        ModelFinding(
            NEVER_MOVE,
            "the model",
            f"none of its {len(weights)} weights is trainable: unmoved by {len(trained.trace.losses)} steps",
            "set trainable=True, of the layers that are to learn, before compile",
        )
    ]


def _home(name: str) -> str:
    return name.rpartition("/")[0]


def any_drawn_unmoved(trained: TracedModel) -> bool:
    """Whether a kernel that the training did not move was not constant."""
    return any(
        weight.trainable and first.ndim > 1 and not _is_constant(first) and np.array_equal(first, np.asarray(weight))
        for weight, first in zip(trained.model.weights, trained.initial, strict=False)
        if first.size
    )


def _vectors_beside_moving(trained: TracedModel, still: Collection[str]) -> set[str]:
    """The vectors in whose layers a kernel moves."""
    weights = list(zip(trained.trace.weights, trained.model.weights, strict=True))
    moving = {_home(name) for name, one in weights if one.trainable and name not in still and len(one.shape) > 1}
    return {name for name, one in weights if len(one.shape) <= 1 and _home(name) in moving}


def _find_behind(output: str, names: list[str], steps: int) -> list[ModelFinding]:
    """Weights that lead to an output alone that the loss does not depend on."""
    if not names:
        return []
    return [
        ModelFinding(
            NEVER_MOVE,
            listed(names),
            f"they lead to the output {for_terminal(output)} alone, on which the loss does not depend (no loss, or one "
            f"of weight 0): unmoved by {steps} steps",
            "give that output a loss, or leave it out; or set trainable=False",
        )
    ]


def _by_weight(one: ModelPass | None, trainable: Sequence[bool]) -> dict[int, Array]:
    """The gradients by the weights' places among all weights of the model."""
    places = [place for place, moves in enumerate(trainable) if moves]
    if one is None or len(one.gradients) != len(places):
        return {}
    return {place: value for place, value in zip(places, one.gradients, strict=True) if value is not None}


def _moved(before: Sequence[Array], after: Sequence[Array], trainable: Sequence[bool]) -> bool:
    return any(moves and not np.array_equal(one, two) for one, two, moves in zip(before, after, trainable, strict=True))


def _has_units(value: Array) -> bool:
    return value.ndim >= 2 and value.shape[-1] > 1 and 0 < value.size <= _LARGEST


def _is_constant(value: Array) -> bool:
    return bool((value == value.flat[0]).all())


def _columns(value: Array) -> Values:
    return np.ascontiguousarray(value.reshape(-1, value.shape[-1]).astype(np.float64).T)


def _equal_units(value: Array) -> list[list[int]]:
    """Groups of units whose elements are bitwise equal, two or more elements each."""
    columns = _columns(value)
    if columns.shape[1] < 2 and not _is_constant(value):
        return []  # single draws of half precision may be equal by chance
    groups: dict[bytes, list[int]] = {}
    for place, column in enumerate(columns):
        groups.setdefault(column.tobytes(), []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def _still_equal(group: Sequence[int], last: Array, gradient: Array | None, initial: Array) -> list[list[int]]:
    """The parts of a group that are equal after the training; units of a packed kernel part by gate, for example.

    Units that no step has moved while it moved others of their layer, and whose gradients are 0, as those of relu
    units with kernels of zeros, are among them.
    """
    columns, limit = _columns(last), _PARTED * float(np.abs(last).max(initial=0))
    left, parts = list(group), []
    while left:
        first = columns[left[0]]
        near = np.abs(columns[left] - first).max(axis=1) <= limit
        part = [place for place, one in zip(left, near, strict=True) if one]
        left = [place for place, one in zip(left, near, strict=True) if not one]
        unmoved = np.array_equal(columns[part], _columns(initial)[part])
        if len(part) > 1 and (gradient is None or _gradient_equal(part, gradient, or_none=unmoved)):
            parts.append(part)
    return parts


def _gradient_equal(group: Sequence[int], gradient: Array, *, or_none: bool = False) -> bool:
    """Whether the gradients of these units are equal, and not all 0, which says nothing unless no step moves them."""
    columns = _columns(gradient)[list(group)]
    largest = float(np.abs(columns).max(initial=0))
    if largest == 0:
        return or_none
    return float(np.ptp(columns, axis=0).max()) <= _EQUAL_GRADIENT * largest


def _words(group: Sequence[int]) -> str:
    return f"units {', '.join(map(str, group[:4]))}{', …' if len(group) > 4 else ''}"
