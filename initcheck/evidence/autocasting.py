"""What the call of a layer of the user's own sees under a dtype policy, and the policies of layers within others."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS
from initcheck.evidence.layers import Policy
from initcheck.evidence.made_layers import arguments_made, requests, typed, wraps
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, dtype_name
from initcheck.frameworks.backends import has_doubles
from initcheck.frameworks.floatx import dtype_policy
from initcheck.frameworks.operations import operations
from initcheck.frameworks.quiet import quiet
from initcheck.targets import target

Array = np.ndarray[Any, Any]
PRECISE = np.array([1 + 2.0**-20, 4097.0, -1 / 3])  # which half precision does not store


_WRAPPERS = [case for case in FORMULAS if wraps(case.config)]


class Given(Enum):
    """A way to give a layer its policy, and its word in names."""

    NAME = "name"
    OBJECT = "object"
    CONFIGURATION = "configuration"
    GLOBALLY = "globally"
    WITHOUT_AUTOCAST = "without-autocast"
    WITHIN = "within"


@dataclass(frozen=True)
class Seen:
    """What was seen under a policy.

    Attributes:
        types: What → its dtype, and the one that it should have: a name, or "computed" or "stored".
        assigned: A weight that the call assigned ``PRECISE`` to; None where nothing was assigned.
    """

    types: Mapping[str, tuple[str, str]]
    assigned: Array | None = None


class Autocasting:
    """Layers under dtype policies.

    Args:
        session: The session.
    """

    def __init__(self, session: Session) -> None:
        self._keras = session.keras

    def seen(self, policy: Policy, given: Given) -> Seen | None:
        """What a call sees; None where the installed Keras has no such way to give a policy.

        Args:
            policy: The policy.
            given: The way in which the layer, or one within it, gets it.
        """
        with quiet():
            if given is Given.WITHIN:
                return Seen(dict(self._within(policy)))
            layer = self._layer(policy, given)
            return None if layer is None else self._called(layer, given is not Given.WITHOUT_AUTOCAST)

    def _layer(self, policy: Policy, given: Given) -> Any:
        kind = _own_layer(self._keras)
        if given is Given.GLOBALLY:
            with dtype_policy(self._keras, policy.name):
                return kind()
        if given is Given.OBJECT:
            made = self._policy_made(policy.name)
            return None if made is None else kind(dtype=made)
        if given is Given.CONFIGURATION:
            return kind.from_config(kind(dtype=policy.name).get_config())
        return kind(dtype=policy.name, **({"autocast": False} if given is Given.WITHOUT_AUTOCAST else {}))

    def _policy_made(self, name: str) -> Any:
        places = (getattr(self._keras, "mixed_precision", None), self._keras)
        kinds = [getattr(place, kind, None) for place in places for kind in ("DTypePolicy", "Policy")]
        kind = next((one for one in kinds if one is not None), None)
        return None if kind is None else kind(name)

    def _called(self, layer: Any, casts: bool) -> Seen:
        types: dict[str, tuple[str, str]] = {}
        for dtype in ("float32", *(["float64"] if has_doubles(target()) else []), "int32", "bool"):
            x = as_tensor(np.ones((2, 3), dtype))
            output = layer(x)
            cast = dtype.startswith("float") and casts
            types[f"an input of {dtype}"] = (layer.seen["input"], "computed" if cast else dtype)
            types[f"an output of {dtype}"] = (dtype_name(output), types[f"an input of {dtype}"][1])
        if casts:
            types["a weight in the call"] = (layer.seen["weight"], "computed")
            if _without_autocast(self._keras):
                types["a weight without autocast in the call"] = (layer.seen["still"], "stored")
        for name in ("weight", "still", "total"):
            types[f"the weight {name}"] = (as_array(getattr(layer, name)).dtype.name, "stored")
        types["compute_dtype"] = (str(layer.compute_dtype), "computed")
        types["variable_dtype"] = (str(layer.variable_dtype), "stored")
        return Seen(types, as_array(layer.total))

    def _within(self, policy: Policy) -> Iterator[tuple[str, tuple[str, str]]]:
        """The types of layers that wrappers hold, which are given the policy, and the wrappers are not."""
        for case in _WRAPPERS:
            if not hasattr(self._keras.layers, case.layer):
                continue
            inner = {one.layer for one in requests(case.config)}
            arguments = arguments_made(self._keras, typed(case.config, policy.name))
            wrapper = getattr(self._keras.layers, case.layer)(**arguments)
            held = [one for one in wrapper._flatten_layers(include_self=False) if type(one).__name__ in inner]
            for number, layer in enumerate(held):
                what = f"of layer {number} within {case.name}"
                yield f"compute_dtype {what}", (str(layer.compute_dtype), "computed")
                yield f"variable_dtype {what}", (str(layer.variable_dtype), "stored")


def _without_autocast(keras: Any) -> dict[str, bool]:
    """The argument of ``add_weight`` for a weight that reads in its own type; none in Keras 3.0."""
    known = inspect.signature(keras.layers.Layer.add_weight).parameters
    if "autocast" in known:
        return {"autocast": False}
    return {"experimental_autocast": False} if any(one.kind is one.VAR_KEYWORD for one in known.values()) else {}


def _own_layer(keras: Any) -> Any:
    math, options = operations(keras), _without_autocast(keras)

    class AutocastProbe(keras.layers.Layer):  # type: ignore[misc] # Keras is loaded at run time
        """Keeps the types that its call sees, and assigns a weight."""

        def build(self, _: Any) -> None:
            self.weight = self.add_weight(name="weight", shape=(3,), initializer="ones")
            self.still = self.add_weight(name="still", shape=(3,), initializer="ones", **options)
            self.total = self.add_weight(name="total", shape=(3,), initializer="zeros", trainable=False)
            self.built = True

        def call(self, inputs: Any) -> Any:
            parts = {"input": inputs, "weight": self.weight, "still": self.still}
            self.seen = {name: dtype_name(math.convert_to_tensor(one)) for name, one in parts.items()}
            self.total.assign(math.cast(as_tensor(PRECISE), self.variable_dtype))
            return inputs

    return AutocastProbe
