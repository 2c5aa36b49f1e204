"""What passes forward and back over the user's own data show, under several seeds and after a few steps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from initcheck.catalog.layers.signals import OF_CATEGORIES
from initcheck.engines.own_models import OwnData, OwnModel, leaves_of
from initcheck.engines.own_trainings import TracedModel
from initcheck.engines.pinned_sources import SEEDS, pinned
from initcheck.engines.probed_passes import (
    ModelPass,
    ProbedRows,
    has_own_step,
    pass_through,
    rows_of,
    untrained_outputs,
)
from initcheck.engines.reseeded_trainings import passes_over_reseeds
from initcheck.errors import InitcheckError
from initcheck.models.call_paths import is_hidden
from initcheck.models.diagnosis import FirstLoss, LayerSignal, ModelFinding, listed
from initcheck.models.first_loss import ONE_UNIT, TOO_LARGE, FoundInFirstLoss, find_in_first_loss
from initcheck.models.layer_signal import (
    NO_INPUTS,
    NO_ROWS,
    RESEEDS,
    SCALED,
    FoundInSignal,
    find_in_signal,
    first_scale,
)
from initcheck.models.not_finite import find_in_data, find_not_finite
from initcheck.models.signal_depth import EXPLODES
from initcheck.models.signal_time import EXPLODE_IN_TIME
from initcheck.models.trained_units import ZERO, any_drawn_unmoved, find_all_frozen, find_equal_units, find_unmoved

_LEAST_RESEEDS = 4  # of a model whose passes take long
_PATIENCE = 30.0  # seconds after which no further pass is begun
_USUAL = 2.0  # root mean square: inputs beyond it, or below its inverse, are scaled for what is said of layers


@dataclass(frozen=True)
class FoundInPasses:
    """What the passes show.

    Attributes:
        findings: What is wrong.
        notes: What is worth knowing.
        looked_at: What was looked at.
        signal: The table by layer.
        first_losses: The first loss of each output.
    """

    findings: tuple[ModelFinding, ...]
    notes: tuple[str, ...]
    looked_at: tuple[str, ...]
    signal: tuple[LayerSignal, ...] = ()
    first_losses: tuple[FirstLoss, ...] = ()


def find_in_passes(
    keras: Any, own: OwnModel, trained: TracedModel, paths: Sequence[str], seed: int, *, loaded: bool = False
) -> FoundInPasses:
    """Units that never part, weights that never move, the signal by layer, and the first loss.

    Args:
        keras: The framework.
        own: The model.
        trained: A training of a few steps, with its data.
        paths: The paths of the weights in the first build, as Keras counts names on.
        seed: From which the seeds are derived.
        loaded: Whether weights are loaded: what a training made of them is not compared with theories of initializers.

    Raises:
        InitcheckError: The model cannot be called or differentiated.
    """
    data = trained.data
    assert data is not None
    if len(paths) == len(trained.trace.weights):
        trained = replace(trained, trace=replace(trained.trace, weights=list(paths)))
    rows = rows_of(data)
    whole = rows if data.in_batches else ProbedRows(data.x, data.y, data.sample_weight)
    if found := find_in_data(trained.model, whole):
        return FoundInPasses((found,), (), ())
    try:
        passes = _passes(keras, own, data, rows, seed)
    except InitcheckError as error:
        if not has_own_step(keras, trained.model):
            raise
        units = find_equal_units(trained, None)
        reason = f"its train_step, called outside fit, failed: {error}"
        return FoundInPasses(units.findings, (f"Not looked at: gradients, signal and first loss, as {reason}.",), ())
    names = _names(passes[0], trained)
    if found := find_not_finite(passes, names):
        return FoundInPasses((found,), (), ())
    found_in = _find(keras, own, trained, _Passed(rows, passes, names), seed, loaded=loaded)
    note = f"{len(passes)} passes forward and back under unlike seeds, over {rows.size} rows"
    return replace(found_in, looked_at=(note,))


@dataclass(frozen=True, eq=False)
class _Passed:
    """Passes over those rows, and the names of their calls."""

    rows: ProbedRows
    passes: list[ModelPass]
    names: list[str]


def _find(
    keras: Any, own: OwnModel, trained: TracedModel, passed: _Passed, seed: int, *, loaded: bool
) -> FoundInPasses:
    rows, passes, names = passed.rows, passed.passes, passed.names
    data, own_step = trained.data, has_own_step(keras, trained.model)
    assert data is not None
    behind = pass_through(keras, trained.model, rows, layers=False)
    last = {name for place, name in enumerate(names) if not is_hidden(passes[0], place)}
    calm = None if own_step else lambda: _calm(keras, own, trained, rows, seed)
    units = find_equal_units(trained, behind, calm, last)
    judged = all(one.judged for one in passes)
    loss = find_in_first_loss(keras, trained.model, passes, rows) if judged else FoundInFirstLoss()
    signal, notes = FoundInSignal(), list(units.notes)
    if own_step:
        unseen = "" if judged else ", nor the first loss, which is its own"
        notes.append(f"The model has a train_step of its own: of the signal's gradient nothing is said{unseen}.")
    scaling: list[ModelFinding] = []
    if _same_calls(passes):
        signal = find_in_signal(passes, names)
        scale = first_scale(passes[0])
        if math.isfinite(scale) and scale > 0 and not 1 / _USUAL <= scale <= _USUAL and _may_be_scaled(rows, passes[0]):
            scaled = find_in_signal(_passes(keras, own, data, rows.scaled(1 / scale), seed), names)
            scaling, more = _find_scaling(scale, loss.findings, signal, scaled)
            notes += more
            loss = replace(loss, findings=()) if scaling else loss
            signal = replace(scaled, layers=signal.layers)
        if loaded:
            signal = FoundInSignal(layers=signal.layers)
    else:
        notes.append("Not looked at: the signal by layer, as the model calls other layers under other seeds.")
    if loss.unknown:
        losses = listed(sorted(set(loss.unknown)))
        notes.append(f"The first loss was not looked at: no best constant is known for {losses}.")
    unmoved, more = find_unmoved(
        trained, passes, lambda: {} if own_step else untrained_outputs(trained.model, rows), own_step=own_step
    )
    notes += more
    frozen = find_all_frozen(trained)
    unmoved += frozen
    return FoundInPasses(
        (
            *frozen,
            *units.findings,
            *scaling,
            *_causes(signal, unmoved, loss, drawn=any_drawn_unmoved(trained)),
        ),
        (*notes, *signal.notes),
        (),
        signal.layers,
        loss.losses,
    )


def _causes(
    signal: FoundInSignal, unmoved: list[ModelFinding], loss: FoundInFirstLoss, *, drawn: bool
) -> list[ModelFinding]:
    """The findings without those that come of others: each cause once.

    Args:
        signal: What is found in the signal.
        unmoved: Weights that can never move.
        loss: What is found in the first loss.
        drawn: Whether kernels that never moved are not constant.
    """
    found, losses = list(signal.findings), list(loss.findings)
    stuck = [one for one in unmoved if one.effect.startswith(ZERO)]
    equal = drawn and any(one.what == NO_ROWS for one in found)  # drawn at random, and yet they do not move
    if equal or signal.stops or any(one.what in (NO_INPUTS, ONE_UNIT) for one in (*found, *losses)):
        unmoved = [one for one in unmoved if one not in stuck]
    elif stuck:  # zeros before zeros, of which equal rows come
        found = [one for one in found if one.what != NO_ROWS]
    if any(one.what in (*EXPLODES, EXPLODE_IN_TIME) for one in found):
        losses = [one for one in losses if one.what != TOO_LARGE]
    return [*found, *unmoved, *losses]


def _passes(keras: Any, own: OwnModel, data: OwnData, rows: ProbedRows, seed: int) -> list[ModelPass]:
    start = time.monotonic()
    passes: list[ModelPass] = []
    for one in passes_over_reseeds(keras, own, data, rows, RESEEDS, seed):
        passes.append(one)
        if len(passes) >= _LEAST_RESEEDS and time.monotonic() - start > _PATIENCE:
            break
    return passes


def _calm(keras: Any, own: OwnModel, trained: TracedModel, rows: ProbedRows, seed: int) -> ModelPass:
    """A pass of the model with the initial weights of that training, without dropout and noise."""
    with pinned(keras, SEEDS, seed):
        model, _ = own.make_model(keras, trained.data)
        for weight, value in zip(model.weights, trained.initial, strict=False):
            if tuple(weight.shape) == value.shape:
                weight.assign(value)
        return pass_through(keras, model, rows, training=False, layers=False)


def _names(one: ModelPass, trained: TracedModel) -> list[str]:
    """The layers' paths by those of their weights in the first build, where they have any."""
    first = [
        path for path, weight in zip(trained.trace.weights, trained.model.weights, strict=True) if weight.trainable
    ]
    pairs = zip(one.weights, first, strict=False)
    known = {_home(path): _home(name) for path, name in pairs} if len(first) == len(one.weights) else {}
    cells = {_home(path): _home(name) for path, name in known.items()}
    return [
        known.get(call.name) or (cells.get(call.name) if call.recurrent else None) or call.name for call in one.calls
    ]


def _home(path: str) -> str:
    return path.rpartition("/")[0]


def _same_calls(passes: Sequence[ModelPass]) -> bool:
    kinds = {tuple((call.kind, call.parents, call.shape[1:]) for call in one.calls) for one in passes}
    return len(kinds) == 1


def _may_be_scaled(rows: ProbedRows, one: ModelPass) -> bool:
    """Whether inputs are quantities, not texts, nor numbers of tokens or categories."""
    numbers = all(leaf.dtype.kind in "fiu" for leaf in leaves_of(rows.inputs))
    return numbers and not any(call.kind in OF_CATEGORIES for call in one.calls)


def _find_scaling(
    scale: float, losses: Sequence[ModelFinding], signal: FoundInSignal, scaled: FoundInSignal
) -> tuple[list[ModelFinding], list[str]]:
    """A finding where inputs that are not scaled do harm, else a note; nothing where they are nearly scaled."""
    if SCALED[0] <= scale <= SCALED[1]:
        return [], []
    size = f"root mean square {scale:.3g} at the first layer with a kernel, where initializers count on 1"
    harm = [f"{one.what} ({one.where}: {one.effect})" for one in losses]
    if signal.findings and not scaled.findings:
        harm += [f"{one.what} ({one.where}), which inputs of root mean square 1 have not" for one in signal.findings]
    if not harm:
        return [], [f"The inputs are not scaled: {size}. What is said of layers holds for inputs divided by it."]
    remedy = "standardize the inputs, or begin with a layer that does: Rescaling(1 / 255), or an adapted Normalization"
    return [ModelFinding("inputs that are not scaled", "data", "; ".join([size, *harm]), remedy)], []
