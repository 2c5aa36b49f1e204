"""Numbers that are not finite: in the data, and in what a layer returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.engines.own_models import Array, leaves_of, mapped, mistakes_in
from initcheck.engines.probed_passes import MOST_ROWS, ModelPass, ProbedRows
from initcheck.models.diagnosis import ModelFinding

DATA_NOT_FINITE, LAYER_NOT_FINITE = "data that are not finite", "a layer whose outputs are not finite"


def find_in_data(model: Any, data: ProbedRows) -> ModelFinding | None:
    """NaN or infinite numbers among inputs or targets that reach the outputs or the loss, and with it every weight.

    A model may take them for missing values, which it fills in or masks: that is no finding.

    Args:
        model: The compiled model.
        data: All rows, or those that are looked at.

    Raises:
        InitcheckError: The model cannot be called or evaluated.
    """
    found, rows = [], np.zeros(data.size, np.bool_)
    for name, part in (("the inputs", data.inputs), ("the targets", data.targets)):
        for leaf in leaves_of(part):
            if leaf.dtype.kind == "f" and (off := ~np.isfinite(leaf)).any():
                of = off.reshape(len(leaf), -1).any(axis=1)
                rows |= of
                found.append(
                    f"{int(off.sum()):,} of {leaf.size:,} numbers of {name}, in {int(of.sum()):,} of {len(leaf):,} rows"
                )
    if not found or not _do_harm(model, data, np.flatnonzero(rows)[:MOST_ROWS]):
        return None
    remedy = "leave these rows out, or fill them in; look for a logarithm or a division of 0, and for missing values"
    effect = f"NaN or infinite: {'; '.join(found)}; so are outputs of the model, or its loss, on these rows"
    return ModelFinding(DATA_NOT_FINITE, "data", effect, remedy)


def _do_harm(model: Any, data: ProbedRows, places: Array) -> bool:
    """Whether outputs, or the loss, are not finite on those rows."""
    inputs, targets, weights = (
        mapped(lambda leaf: np.asarray(leaf)[places], part) for part in (data.inputs, data.targets, data.weights)
    )
    with mistakes_in("the model: evaluate", "fix its loss or its call"):
        if not all(map(_is_finite, leaves_of(model(inputs, training=False)))):
            return True
        scores = model.evaluate(inputs, targets, sample_weight=weights, verbose=0) if targets is not None else 0.0
    return not np.isfinite(np.asarray(scores, np.float64).flat[0])


def find_not_finite(passes: Sequence[ModelPass], names: Sequence[str]) -> ModelFinding | None:
    """The first layer whose outputs are not finite, where the model's are not: masks of -inf end in a softmax."""
    off = [one for one in passes if not all(map(_is_finite, leaves_of(one.outputs)))]
    if not off:
        return None
    place = next((place for place, call in enumerate(off[0].calls) if not call.finite), None)
    given = f", given a root mean square of {off[0].calls[place].given:.3g}" if place is not None else ""
    return ModelFinding(
        LAYER_NOT_FINITE,
        "the model's outputs" if place is None or place >= len(names) else names[place],
        f"NaN or infinite before any training, in {len(off)} of {len(passes)} reseeds, and so are the model's "
        f"outputs{given}",
        "half precision ends at 65,504: compute it in float32, or scale it down; else look for a logarithm, a root or "
        "a division of 0, and for powers",
    )


def _is_finite(leaf: Any) -> bool:
    return leaf.dtype.kind not in "fc" or bool(np.isfinite(leaf).all())
