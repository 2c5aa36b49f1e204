"""Makes layers from requests, which may hold requests for the layers that they wrap."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from initcheck.catalog.layers import LayerRequest


def made(keras: Any, value: Any) -> Any:
    """The layer of a request; the values of a list or tuple made likewise; any other value as it is."""
    if isinstance(value, LayerRequest):
        return getattr(keras.layers, value.layer)(**arguments_made(keras, value.arguments))
    if isinstance(value, list | tuple):
        return type(value)(made(keras, one) for one in value)
    return value


def arguments_made(keras: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with their requests made."""
    return {name: made(keras, value) for name, value in arguments.items()}


def requests(arguments: Mapping[str, Any]) -> list[LayerRequest]:
    """The requests for layers that a layer with these arguments holds."""
    values = [one for value in arguments.values() for one in (value if isinstance(value, list | tuple) else [value])]
    return [one for one in values if isinstance(one, LayerRequest)]


def wraps(arguments: Mapping[str, Any]) -> bool:
    """Whether a layer with these arguments holds other layers."""
    return bool(requests(arguments))


def typed(arguments: Mapping[str, Any], policy: str) -> dict[str, Any]:
    """The arguments with that policy for each layer that is requested."""

    def one_typed(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(value)(map(one_typed, value))
        return (
            replace(value, arguments={**value.arguments, "dtype": policy}) if isinstance(value, LayerRequest) else value
        )

    return {name: one_typed(value) for name, value in arguments.items()}


def flat(outputs: Any) -> list[Any]:
    """The outputs of a layer, one after another, however they are nested."""
    return [inner for one in outputs for inner in flat(one)] if isinstance(outputs, list | tuple) else [outputs]


def seeded(keras: Any, value: Any, seed: int) -> Any:
    """The request with that seed for each layer that has dropout and takes a seed."""
    if isinstance(value, list | tuple):
        return type(value)(seeded(keras, one, seed) for one in value)
    if not isinstance(value, LayerRequest):
        return value
    arguments = {name: seeded(keras, one, seed) for name, one in value.arguments.items()}
    known = inspect.signature(getattr(keras.layers, value.layer)).parameters
    if "seed" in known and {"dropout", "recurrent_dropout"} & set(arguments):
        arguments["seed"] = seed
    return replace(value, arguments=arguments)
