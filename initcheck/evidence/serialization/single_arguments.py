"""Layers with one argument at a value that is not its default, and what is rebuilt of their configurations."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from initcheck.catalog.layers import LayerRequest
from initcheck.evidence.made_layers import made
from initcheck.evidence.session import Session
from initcheck.frameworks.quiet import quiet

_SEED, _FACTOR = 77, 0.375


@dataclass(frozen=True)
class Kept:
    """An argument of a layer.

    Attributes:
        argument: Its name.
        given: Its value; of a regularizer or constraint its factor.
        written: The numbers in the layer's configuration, or why there are none.
        read: Those in the configuration of the rebuilt layer.
    """

    argument: str
    given: Any
    written: Any
    read: Any


class SingleArguments:
    """Evidence from layers of which one argument is not at its default.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._keras = session.keras

    def kept(self, request: LayerRequest) -> list[Kept]:
        """Every argument of the layer that takes a number, a flag, a regularizer or a constraint, one at a time.

        Raises:
            Exception: Whatever the framework raises as it rebuilds a layer.
        """
        kind = getattr(self._keras.layers, request.layer)
        with quiet():
            return list(self._each(kind, request))

    def _each(self, kind: Any, request: LayerRequest) -> Iterator[Kept]:
        for name, parameter in inspect.signature(kind).parameters.items():
            if (change := self._change(name, parameter.default)) is None or name in request.arguments:
                continue
            given, argument = change
            try:
                layer = made(self._keras, LayerRequest(request.layer, {**request.arguments, name: argument()}))
            except Exception:  # noqa: BLE001 - it does not go with the layer's other arguments
                continue
            written = json.loads(json.dumps(layer.get_config(), default=str))
            read = kind.from_config(json.loads(json.dumps(written))).get_config()
            yield Kept(name, given, _numbers(written, name), _numbers(read, name))

    def _change(self, name: str, default: Any) -> tuple[Any, Callable[[], Any]] | None:
        """Another value than the default, and what makes the argument; None for arguments of other types."""
        keras = self._keras
        if name.endswith("_regularizer"):
            return _FACTOR, lambda: keras.regularizers.L2(_FACTOR)
        if name.endswith("_constraint"):
            return _FACTOR, lambda: keras.constraints.MaxNorm(_FACTOR)
        if name == "seed":
            return _SEED, lambda: _SEED
        if isinstance(default, bool):
            return not default, lambda: not default
        if isinstance(default, float):
            other = default / 2 or 0.25
            return other, lambda: other
        return None


def _numbers(config: dict[str, Any], name: str) -> Any:
    """The value; of a regularizer or constraint its factor, of a range its upper end."""
    value = config.get(name, "nothing")
    if isinstance(value, dict):
        inner = value.get("config", {})
        if value.get("class_name") == "SeedGenerator":
            return inner.get("seed")
        return inner.get("l2", inner.get("max_value", f"{value}"))
    return value[1] if isinstance(value, list | tuple) and len(value) == 2 else value
