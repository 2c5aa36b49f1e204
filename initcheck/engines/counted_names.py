"""Keras's counters of names (dense, dense_1), so that a model that is made again names its parts as the first time."""

from __future__ import annotations

import collections
import importlib
from typing import Any


class CountedNames:
    """The counters as they are now.

    Outputs and metrics without names of their own are named by them, and with them what ``fit`` reports.

    Args:
        keras: The framework.
    """

    def __init__(self, keras: Any) -> None:
        self._keras = keras
        self._first = dict(self._counts())

    def put_back(self) -> None:
        """Lets Keras count on from there."""
        counts = self._counts()
        counts.clear()
        counts.update(self._first)

    def _counts(self) -> dict[str, int]:
        of_graph = getattr(self._keras.backend, "get_default_graph_uid_map", None)  # of Keras 2
        if of_graph is not None:
            counts: dict[str, int] = of_graph()
            return counts
        state: Any = importlib.import_module("keras.src.backend.common.global_state")
        counts = state.get_global_attribute("object_name_uids")
        if counts is None:
            counts = collections.defaultdict(int)
            state.set_global_attribute("object_name_uids", counts)
        return counts
