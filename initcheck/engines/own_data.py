"""A user's data as runs take them: plain arrays, split in an order that never changes, and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from initcheck.engines.own_models import Array, OwnData, leaves_of, mapped, mistakes_in
from initcheck.errors import InitcheckError

FROZEN = 42  # the seed of data, split and frozen order, as of every problem
_HELD_OUT = 0.3  # of the rows, where the data hold out none


def plain_arrays(data: OwnData) -> OwnData:
    """The data with arrays of the kinds that a pipeline takes; batches stay as they are."""
    if data.in_batches:
        return data
    return OwnData(*(_as_tuples(mapped(_array, part)) for part in (data.x, data.y, data.sample_weight)))


def _array(value: Any) -> Array:
    """The array, float64 as float32, which Keras would make it where ``fit`` is given arrays."""
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _as_tuples(structure: Any) -> Any:
    """The structure with tuples for lists, which ``tf.data`` takes for one tensor."""
    if isinstance(structure, Mapping):
        return {key: _as_tuples(value) for key, value in structure.items()}
    return tuple(map(_as_tuples, structure)) if isinstance(structure, list | tuple) else structure


def split_rows(data: OwnData) -> tuple[OwnData, OwnData]:
    """The rows in two parts, in an order that never changes."""
    rows = count_rows(data)
    held_out = round(_HELD_OUT * rows)
    if not 0 < held_out < rows:
        raise InitcheckError(f"data() returns {rows} row{'s' * (rows != 1)}; give enough to hold some out, 2 or more")
    places = np.random.RandomState(FROZEN).permutation(rows)

    def part(chosen: Any) -> OwnData:
        return OwnData(*(mapped(lambda leaf: leaf[chosen], one) for one in (data.x, data.y, data.sample_weight)))

    return part(places[held_out:]), part(places[:held_out])


def count_rows(data: OwnData) -> int:
    """The rows of all arrays, or of all batches of one pass.

    Raises:
        InitcheckError: The batches have no end, or there are none.
    """
    if not data.in_batches:
        return len(leaves_of(data.x)[0])
    if getattr(data.x, "cardinality", None) is not None and int(data.x.cardinality()) == -1:
        raise InitcheckError("data() returns a dataset without end; end it with .take(number of batches)")
    with mistakes_in("a pass over the data", "fix data()"):
        rows = sum(len(leaves_of(batch)[0]) for batch in batches_in(data))
    if not rows:
        raise InitcheckError("data() returns no batch; give one at least")
    return rows


def targets_of(data: OwnData) -> tuple[Array, Array | None] | None:
    """Targets and weights of all rows in one array each; None where a row has several targets."""
    if not data.in_batches:
        targets, weights = leaves_of(data.y), leaves_of(data.sample_weight)
        return (targets[0], weights[0] if weights else None) if len(targets) == 1 else None
    parts = [tuple(map(leaves_of, batch[1:])) for batch in batches_in(data) if isinstance(batch, tuple)]
    if not parts or any(len(leaves) != 1 for part in parts for leaves in part):
        return None
    columns = [np.concatenate([leaves[0] for leaves in column]) for column in zip(*parts, strict=True)]
    return (columns[0], columns[1] if len(columns) > 1 else None) if columns else None


def is_countable(data: OwnData) -> bool:
    """Whether the targets may be classes: whole numbers, or shares of classes; True where that cannot be seen."""
    found = targets_of(data)
    if found is None or found[0].dtype.kind not in "fiub":
        return True
    y = found[0].astype(np.float64)
    return bool((y == np.rint(y)).all() or ((y >= 0) & (y <= 1)).all())


def batches_in(data: OwnData) -> Iterator[Any]:
    """One pass over batches that the data make themselves."""
    return iter(data.x) if hasattr(data.x, "element_spec") else (data.x[place] for place in range(len(data.x)))


def describe_rows(data: OwnData) -> tuple[tuple[str, str], ...]:
    """Shapes of inputs and targets, as ``(name, value)``."""
    if data.in_batches:
        return (("inputs", f"batches of a {type(data.x).__name__}"),)
    shapes = {
        name: ", ".join(" × ".join(map(str, leaf.shape[1:])) or "1" for leaf in leaves_of(part)) or "none"
        for name, part in (("inputs of a row", data.x), ("targets of a row", data.y))
    }
    return tuple(shapes.items())
