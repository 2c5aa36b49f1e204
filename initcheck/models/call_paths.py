"""Which call of a layer is given what comes of which: paths through a model's layers with kernels."""

from __future__ import annotations

from collections.abc import Sequence

from initcheck.engines.probed_passes import LayerPass, ModelPass


def paths_through(one: ModelPass) -> list[list[int]]:
    """The calls with kernels on the way to each that no other follows, from the first on."""
    before = {
        place: nearest_kernel(one.calls, call)
        for place, call in enumerate(one.calls)
        if call.weighted or call.recurrent
    }
    paths = []
    for last in before.keys() - {place for place in before.values() if place is not None}:
        path: list[int] = []
        at: int | None = last
        while at is not None:
            path.append(at)
            at = before[at]
        paths.append(path[::-1])
    return paths


def nearest_kernel(calls: Sequence[LayerPass], call: LayerPass) -> int | None:
    """The latest call with a kernel on the way to that call."""
    seen: set[int] = set()
    left = set(call.parents)
    while left:
        place = max(left)
        left.remove(place)
        if calls[place].weighted or calls[place].recurrent:
            return place
        left |= set(calls[place].parents) - seen
        seen.add(place)
    return None


def is_hidden(one: ModelPass, place: int) -> bool:
    """Whether a later call with a kernel is given what comes of that call."""
    reached = {place}
    for later, call in enumerate(one.calls[place + 1 :], place + 1):
        if reached & set(call.parents):
            if call.weighted or call.recurrent:
                return True
            reached.add(later)
    return False
