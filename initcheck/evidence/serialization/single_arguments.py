"""Layers with one argument at a value that is not its default, and what is rebuilt of their configurations."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.version import Version

from initcheck.catalog.layers import LayerRequest
from initcheck.evidence.made_layers import made
from initcheck.evidence.session import Session
from initcheck.frameworks.quiet import quiet

_SEED = 77
_ACTIVITY = "activity_regularizer"
# Objects with all their options; Keras 2 keeps the factors of regularizers in single precision.
_OBJECTS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "_regularizer": ("regularizers", "L1L2", {"l1": 0.25, "l2": 0.375}),
    "_constraint": ("constraints", "MinMaxNorm", {"min_value": 0.1, "max_value": 0.7, "rate": 0.3, "axis": 1}),
    "_initializer": ("initializers", "TruncatedNormal", {"mean": 0.1, "stddev": 0.3, "seed": _SEED}),
}
# Another value of an argument with that default, or with that name.
_OTHER_WORDS = {
    **{"valid": "same", "channels_last": "channels_first", "bilinear": "nearest", "nearest": "bilinear"},
    **{"reflect": "constant", "concat": "sum", "floor": "ceil", "max": "sum", "sum": "mean"},
    **{"linear": "softsign", "tanh": "softsign", "sigmoid": "softsign", "hard_sigmoid": "softsign"},
}
_BY_NAME: Mapping[str, Any] = {
    **{"data_format": "channels_first", "activation": "softsign", "attention_axes": (1,), "noise_shape": (2, 1)},
    **{"value_dim": 5, "output_shape": (3, 2), "shared_axes": (1,), "score_mode": "concat"},
    **{"strides": 2, "output_padding": 0, "sliding_window": 3, "mask_value": 3, "salt": 3, "max_value": 0.75},
    **{"reverse_dtype": "float32", "logit_soft_cap": 2.5, "sequence_length": 128, "max_freq": 3000.0},
    **{"brightness_factor": 0.25, "contrast_factor": 0.25, "saturation_factor": 0.25, "hue_factor": 0.25},
    **{"ngrams": 2, "output_sequence_length": 3, "max_tokens": 7, "arguments": {"a": 1}, "fill_value": 0.25},
}


@dataclass(frozen=True)
class Kept:
    """An argument of a layer.

    Attributes:
        argument: Its name.
        given: Its value; of an object its options.
        written: What the layer's configuration has of it.
        read: The same of the rebuilt layer.
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
        """Every argument of the layer that takes a number, a flag, a word or an object, one at a time.

        Raises:
            Exception: Whatever the framework raises as it rebuilds a layer.
        """
        kind = getattr(self._keras.layers, request.layer)
        with quiet():
            return list(self._each(kind, request))

    def _each(self, kind: Any, request: LayerRequest) -> Iterator[Kept]:
        defaults = {name: one.default for name, one in inspect.signature(kind).parameters.items()}
        # Documented of every layer: https://keras.io/api/layers/base_layer/. In its configuration since
        # https://github.com/keras-team/keras/commit/230777a2ce.
        common = {_ACTIVITY: None} if Version(self._keras.__version__) >= Version("3.4") else {}
        for name, default in {**common, **defaults}.items():
            if name in request.arguments or (change := self._change(name, default)) is None:
                continue
            given, argument = change
            try:
                layer = made(self._keras, LayerRequest(request.layer, {**request.arguments, name: argument()}))
            except Exception:  # noqa: BLE001 - it does not go with the layer's other arguments
                continue
            written = json.loads(json.dumps(layer.get_config(), default=str))
            read = kind.from_config(json.loads(json.dumps(written))).get_config()
            yield Kept(name, given, *(_value(config, name, given) for config in (written, read)))

    def _change(self, name: str, default: Any) -> tuple[Any, Callable[[], Any]] | None:
        """Another value than the default, and what makes the argument; None for arguments of other types."""
        for ending, (module, kind, options) in _OBJECTS.items():
            if name.endswith(ending):
                make = functools.partial(getattr(getattr(self._keras, module), kind), **options)
                return dict(options), make
        other = _SEED if name == "seed" else _other(name, default)
        return None if other is None else (other, lambda: other)


def _other(name: str, default: Any) -> Any:
    if isinstance(default, tuple):
        others = tuple(_other(name, one) for one in default)
        return None if None in others else others
    if isinstance(default, bool):
        return not default
    if isinstance(default, float):
        return default / 2 or 0.25
    if isinstance(default, int):
        return default + 1 if default > 0 else 1
    return _BY_NAME.get(name) or (_OTHER_WORDS.get(default) if isinstance(default, str) else None)


def _value(config: dict[str, Any], name: str, given: Any) -> Any:
    """The value; of an object the options that were given, of a range its upper end, and of equal numbers one."""
    value = config.get(name, "nothing")
    if isinstance(value, dict):
        inner = value.get("config", {})
        if isinstance(given, dict):
            return {key: inner.get(key, "nothing") for key in given}
        return inner.get("seed") if value.get("class_name") == "SeedGenerator" else inner
    if isinstance(value, list | tuple):
        if isinstance(given, tuple):
            return tuple(value)
        if isinstance(given, float) and len(value) == 2:
            return value[1]
        return value[0] if len(set(value)) == 1 else value
    return value
