"""Numbers that are not finite: in the data, and in what a layer returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from initcheck.engines.own_models import leaves_of
from initcheck.engines.probed_passes import ModelPass
from initcheck.models.diagnosis import ModelFinding

DATA_NOT_FINITE, LAYER_NOT_FINITE = "data that are not finite", "a layer whose outputs are not finite"


def find_in_data(data: Any) -> ModelFinding | None:
    """NaN or infinite numbers among inputs or targets, which one step puts into every weight."""
    found = []
    for name, part in _parts_of(data).items():
        for leaf in leaves_of(part):
            if leaf.dtype.kind == "f" and (off := ~np.isfinite(leaf)).any():
                rows = int(off.reshape(len(leaf), -1).any(axis=1).sum())
                found.append(
                    f"{int(off.sum()):,} of {leaf.size:,} numbers of {name}, in {rows:,} of {len(leaf):,} rows"
                )
    if not found:
        return None
    remedy = "leave these rows out, or fill them in; look for a logarithm or a division of 0, and for missing values"
    return ModelFinding(DATA_NOT_FINITE, "data", f"NaN or infinite: {'; '.join(found)}", remedy)


def _parts_of(data: Any) -> dict[str, Any]:
    if hasattr(data, "inputs"):
        return {"the inputs": data.inputs, "the targets": data.targets}
    return {"the inputs": data.x, "the targets": data.y}


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
