"""The rows that laws are judged on: the catalogue's, and those with other arguments."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.catalog.cases.variants import FIXED_VARIANTS, ORTHOGONAL_VARIANTS, RANDOM_VARIANTS
from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Orthogonal
from initcheck.checks.registry import Subject, over_initializers
from initcheck.targets import KERAS, is_judged, target


def elementwise_rows() -> list[Subject]:
    """Every row with independent random elements: the catalogue's, then those with other arguments."""
    own = [one for one in over_initializers(random=True) if not isinstance(one.value.law, Orthogonal)]
    return own + _variants(RANDOM_VARIANTS)


def orthogonal_rows() -> list[Subject]:
    """Every orthogonal row."""
    own = [one for one in over_initializers(random=True) if isinstance(one.value.law, Orthogonal)]
    return own + _variants(ORTHOGONAL_VARIANTS)


def fixed_rows() -> list[Subject]:
    """Every row without randomness."""
    return over_initializers(random=False) + _variants(FIXED_VARIANTS)


def _variants(rows: Sequence[Initializer]) -> list[Subject]:
    """Keras's rows with other arguments; those of a library are among its rows."""
    return [Subject(row.name, row) for row in rows] if is_judged(target(), KERAS) else []


def all_rows() -> list[Subject]:
    """Every row."""
    return elementwise_rows() + orthogonal_rows() + fixed_rows()
