"""Cases that Hypothesis draws: shapes, architectures, dtypes; never the seed of a p-value."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Case = TypeVar("Case")


def draw_cases(strategy: SearchStrategy[Case], count: int, key: str) -> list[Case]:
    """Distinct cases from a strategy: the same ones on every run and machine, for the same version of Hypothesis.

    They are gathered first and judged together, since evidence is pooled over them; so nothing is shrunk, and a case
    that fails is named by the verdict instead.

    Args:
        strategy: What to draw from; its values have a ``repr`` that tells them apart.
        count: How many at most; fewer where the strategy has no more.
        key: Names the stream of cases; another key gives others.
    """
    from hypothesis import HealthCheck, Phase, given, seed, settings

    found: dict[str, Case] = {}

    # Deciding nothing, the collecting function may be as slow to generate as it likes.
    @settings(
        max_examples=count * 3,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @seed(key)
    @given(strategy)
    def collect(case: Case) -> None:
        found.setdefault(repr(case), case)

    collect()
    return list(found.values())[:count]
