"""Layers, optimizers, losses and their like after a round trip through their configurations, options and all."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.evidence.serialization.round_trips import Arrays, Config, RoundTrip
from initcheck.evidence.session import Session
from initcheck.evidence.toy_models import accepts_training
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import apply_gradients, as_tensor, trained_variable
from initcheck.frameworks.instances import make_initializer
from initcheck.frameworks.quiet import quiet

if TYPE_CHECKING:
    from initcheck.catalog.initializers import Initializer

_STREAM = np.random.RandomState(8)
_VALUES = _STREAM.uniform(0.05, 0.95, size=(4, 3)).astype(np.float32)
_LABELS = np.array([0, 1, 2, 1], np.int32)
_OBJECTS = {"_regularizer": "regularizers", "_constraint": "constraints"}


class SavedParts:
    """Evidence from layers, optimizers, losses and similar objects rebuilt from their configs.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    @quiet()
    def part(self, module: str, name: str, options: Config) -> tuple[list[RoundTrip], Config] | None:
        """Rebuilds an object that is no layer by every route, with the options that this version supports.

        Returns None if Keras lacks the class.

        Args:
            module: Of ``keras``.
            name: The class.
            options: The arguments, as JSON gives them back.
        """
        home: Any = self._keras
        for word in module.split("."):
            home = getattr(home, word)
        kind = getattr(home, name, None)
        if kind is None:
            return None
        offered = _offered(kind, options)
        routes: dict[str, Callable[[], Any]] = {
            "from_config(get_config())": lambda: kind.from_config(_through_json(kind(**offered).get_config())),
            "deserialize(serialize())": lambda: home.deserialize(_through_json(home.serialize(kind(**offered)))),
        }
        config = _through_json(kind(**offered).get_config())
        results = _used(module, kind(**offered))
        trips: list[RoundTrip] = []
        for route, read in routes.items():
            again = read()
            kinds = (name, type(again).__name__)
            if not isinstance(again, kind):  # some versions give a text for what they do not know
                trips.append(RoundTrip(route, config, {}, results, [], kinds))
                continue
            # What is built of a configuration is used once; the other routes must give the same configuration.
            used = results if trips else _used(module, again)
            trips.append(RoundTrip(route, config, _through_json(again.get_config()), results, used, kinds))
        return trips, offered

    def lacking(self, layer: str) -> str:
        """The layer's name where the installed Keras lacks it, else empty."""
        return "" if hasattr(self._keras.layers, layer) else layer

    @quiet()
    def layer(
        self, name: str, options: Config, input_shape: tuple[int, ...], seed: int, *, called: bool
    ) -> tuple[RoundTrip, Config]:
        """A layer rebuilt from its configuration with the options that this version offers, and those options.

        The configs include the layer's attributes: its dtypes, and whether it is trainable.

        Args:
            name: The layer's class.
            options: The arguments, as JSON gives them back.
            input_shape: The shape that it is built for, with the batch.
            seed: Of the global generators before each call, and of the inputs.
            called: Whether to compare outputs too; only what draws has anything to show that
                configurations do not, and only layers without weights have nothing else.
        """
        kind = getattr(self._keras.layers, name)
        offered = _offered(kind, options)
        original = kind(**{key: self._argument(key, value) for key, value in offered.items()})
        again = kind.from_config(_through_json(original.get_config()))
        config, config_again = ({**_traits(one), **_through_json(one.get_config())} for one in (original, again))
        for one in (original, again):
            one.build(input_shape)
        values = original.get_weights()
        again.set_weights(values)  # initializers are unseeded here, and judged by other checks
        arrays = [one.get_weights() for one in (original, again)]
        if called or not values:
            inputs = np.random.RandomState(seed % 2**32).uniform(size=input_shape).astype(np.float32)
            arrays = [
                [*weights, *self._outputs(one, inputs, seed)]
                for weights, one in zip(arrays, (original, again), strict=True)
            ]
        return RoundTrip(f"{name}.from_config(get_config())", config, config_again, arrays[0], arrays[1]), offered

    def initializer_seeds(self, row: Initializer, seeds: Iterable[int]) -> list[tuple[Any, ...]]:
        """Returns each seed with the one in the initializer's config, and in that of the rebuilt initializer."""
        return [(seed, *_written_and_read_seeds(make_initializer(row, seed))) for seed in (*seeds, None)]

    @quiet()
    def layer_seeds(self, name: str, options: Config, seeds: Iterable[int]) -> list[tuple[Any, ...]]:
        """The same of a layer; none where it is not documented to take a seed."""
        kind = getattr(self._keras.layers, name)
        if not _offered(kind, {"seed": 0}):
            return []
        given = _tuples(_offered(kind, options))
        accepted = [seed for seed in seeds if not self._refuses(seed)]
        return [(seed, *_written_and_read_seeds(kind(**given, seed=seed))) for seed in (*accepted, None)]

    def _refuses(self, seed: int) -> bool:
        """Whether the backend has no generator of that seed, which layers make when they are made."""
        generator = getattr(getattr(self._keras, "random", None), "SeedGenerator", None)
        try:
            if generator is not None:
                generator(seed)
        except (OverflowError, RuntimeError):  # of JAX and of torch: it cannot be mistaken for another seed
            return True
        return False

    @quiet()
    def unseeded(self, row: Initializer) -> Arrays:
        """Draws of an unseeded initializer, and of two that are rebuilt from its configuration."""
        written = make_initializer(row, None)
        rebuilt = [type(written).from_config(_through_json(written.get_config())) for _ in range(2)]
        return [as_array(one((4, 4))) for one in (written, *rebuilt)]

    def _outputs(self, layer: Any, inputs: np.ndarray, seed: int) -> Arrays:
        """Returns a layer's output in training, and the losses it adds, right after seeding."""
        self._keras.utils.set_random_seed(seed)
        outputs = layer(inputs, training=True) if accepts_training(layer) else layer(inputs)
        return [np.array(as_array(one)) for one in (outputs, *layer.losses)]

    def _argument(self, key: str, value: Any) -> Any:
        """The object that a dictionary of class and configuration describes; lists as tuples."""
        for ending, module in _OBJECTS.items():
            if key.endswith(ending):
                return getattr(getattr(self._keras, module), value["class_name"])(**value["config"])
        return _tuples(value)


_OF_EVERY_LAYER = ("name", "trainable", "dtype")


def _offered(kind: Any, options: Config) -> dict[str, Any]:
    """Returns the options that the class takes by name; those of every layer also if it takes ``**kwargs``."""
    taken = inspect.signature(kind.__init__).parameters
    rest = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in taken.values())
    return {key: value for key, value in options.items() if key in taken or (rest and key in _OF_EVERY_LAYER)}


def _written_and_read_seeds(original: Any) -> tuple[Any, Any]:
    written = _through_json(original.get_config())
    again = type(original).from_config(written).get_config()
    return written.get("seed", "nothing"), again.get("seed", "nothing")


def _traits(layer: Any) -> dict[str, Any]:
    return {
        "trained": layer.trainable,
        "compute_dtype": layer.compute_dtype,
        "variable_dtype": str(layer.variable_dtype),
    }


def _used(module: str, part: Any) -> Arrays:
    """Returns the results of using the object: a rate at each step, a loss, a metric, a weight after two steps."""
    return [np.array(as_array(one)) for one in _USES[module](part)]


def _stepped(optimizer: Any) -> list[Any]:
    variable = trained_variable(_VALUES)
    optimizer.build([variable])
    for _ in range(2):
        apply_gradients(optimizer, [_VALUES - 0.5], [variable])
    return [variable]


def _lost(loss: Any) -> list[Any]:
    return [loss(_truth(loss), _VALUES)]


def _counted(metric: Any) -> list[Any]:
    metric.update_state(_truth(metric), _VALUES)
    return [metric.result()]


def _truth(judge: Any) -> np.ndarray:
    """Labels where it is sparse, else one of each row's values."""
    name = type(judge).__name__
    return _LABELS if name.startswith("Sparse") else np.eye(3, dtype=np.float32)[_LABELS]


_USES: Mapping[str, Callable[[Any], list[Any]]] = {
    "optimizers": _stepped,
    "optimizers.schedules": lambda schedule: [schedule(step) for step in range(12)],
    "losses": _lost,
    "metrics": _counted,
    "regularizers": lambda regularizer: [regularizer(as_tensor(_VALUES[:3]))],
    "constraints": lambda constraint: [constraint(as_tensor(_VALUES))],
}


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def _through_json(config: Any) -> Any:
    return json.loads(json.dumps(config, default=lambda value: as_array(value).tolist()))
