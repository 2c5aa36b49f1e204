"""Configurations, weights and models after a round trip through what Keras writes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Shape
from initcheck.training.draws import make_initializer
from initcheck.training.quiet import quiet
from initcheck.training.saved_models import BUILDERS, inputs_for
from initcheck.training.saved_records import Arrays, Clone, Config, Continued, Got, RoundTrip

if TYPE_CHECKING:
    from initcheck.catalog.update_rules import Rule
    from initcheck.training.lab import Lab


class Saving:
    """Gives evidence of what survives being written and read.

    Args:
        lab: The laboratory.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._keras = lab.keras

    def initializer(self, row: Initializer, seed: Any, shapes: Sequence[Shape]) -> list[RoundTrip]:
        """The row's initializer by every route; the draws are of those shapes, each from an instance's first calls."""
        keras = self._keras.initializers

        def original() -> Any:
            return make_initializer(row, seed)

        written = original()
        kind = type(written)
        routes: dict[str, tuple[Any, Callable[[Any], Any]]] = {
            "from_config(get_config())": (written.get_config(), kind.from_config),
            "deserialize(serialize())": (keras.serialize(written), keras.deserialize),
            "get(serialize())": (keras.serialize(written), keras.get),
        }
        trips = []
        with self._keras.utils.custom_object_scope({kind.__name__: kind}):
            for route, (config, read) in routes.items():
                again = read(_through_json(config))
                trips.append(
                    RoundTrip(
                        route=route,
                        config=_through_json(original().get_config()),
                        config_again=_through_json(again.get_config()),
                        arrays=_draws(original(), shapes),
                        arrays_again=_draws(again, shapes),
                        kinds=(kind.__name__, type(again).__name__),
                    )
                )
        return trips

    def advancing_initializer(self, row: Initializer, seed: int, shapes: Sequence[Shape]) -> list[RoundTrip] | None:
        """The same with a ``SeedGenerator`` for its seed; None where Keras has none."""
        generator = getattr(getattr(self._keras, "random", None), "SeedGenerator", None)
        if generator is None:
            return None
        trips = []
        for route in ("from_config(get_config())", "deserialize(serialize())"):
            written = make_initializer(row, generator(seed))
            if route.startswith("from_config"):
                again = type(written).from_config(_through_json(written.get_config()))
            else:
                initializers = self._keras.initializers
                again = initializers.deserialize(_through_json(initializers.serialize(written)))
            trips.append(
                RoundTrip(
                    route=route,
                    config=_without_names(_through_json(written.get_config())),
                    config_again=_without_names(_through_json(again.get_config())),
                    arrays=_draws(written, shapes),
                    arrays_again=_draws(again, shapes),
                    kinds=(type(written).__name__, type(again).__name__),
                )
            )
        return trips

    @quiet()
    def layer(self, name: str, config: Config, initializers: Mapping[str, Config], input_shape: Shape) -> RoundTrip:
        """A layer with those initializers (argument → class and arguments), built, and rebuilt from its configuration.

        Args:
            name: The layer's class.
            config: Its arguments; a layer to wrap is given as ``{"layer": (name, config)}``.
            initializers: Argument → ``{"class_name": …, "config": …}``.
            input_shape: The shape that it is built for, with the batch.
        """
        made = {
            key: getattr(self._keras.initializers, one["class_name"])(**one["config"])
            for key, one in initializers.items()
        }
        layers = self._keras.layers
        if "layer" in config:
            inner, inner_config = config["layer"]
            original = getattr(layers, name)(getattr(layers, inner)(**inner_config, **made))
        else:
            original = getattr(layers, name)(**config, **made)
        written = _through_json(original.get_config())
        again = type(original).from_config(_through_json(original.get_config()))
        config_again = _through_json(again.get_config())  # before building: a built layer may name its axes otherwise
        inputs = np.zeros(input_shape, np.int32 if name == "Embedding" else np.float32)
        for one in (original, again):
            one(inputs)
        return RoundTrip(
            route=f"{name}.from_config(get_config())",
            config=written,
            config_again=config_again,
            arrays=original.get_weights(),
            arrays_again=again.get_weights(),
        )

    @quiet()
    def rebuilt_model(self, kind: str) -> list[RoundTrip]:
        """A seeded model rebuilt from its configuration by every route: do its first weights repeat?"""
        original, seed = self._model(kind, "rebuilt")
        config = _through_json(original.get_config())
        reader = self._keras.models
        rebuilt = {
            "from_config(get_config())": type(original).from_config(_through_json(original.get_config())),
            "model_from_json(to_json())": reader.model_from_json(original.to_json()),
        }
        first = original.get_weights()
        _disturb(original, seed)
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.keras")
            original.save(path)
            loaded = reader.load_model(path)
            rebuilt["from_config of load_model(save())"] = type(loaded).from_config(loaded.get_config())
        return [
            RoundTrip(route, config, _through_json(one.get_config()), first, one.get_weights())
            for route, one in rebuilt.items()
        ]

    @quiet()
    def saved_model(self, kind: str) -> tuple[list[RoundTrip], Arrays]:
        """A model with weights unlike its first ones through files, and those first ones.

        The arrays are the weights, then the outputs.
        """
        original, seed = self._model(kind, "saved")
        first = original.get_weights()
        _disturb(original, seed)
        inputs = inputs_for(original, seed)
        config = _through_json(original.get_config())
        held = [*original.get_weights(), np.asarray(original(inputs, training=False))]
        with tempfile.TemporaryDirectory() as folder:
            whole, weights = str(Path(folder) / "model.keras"), str(Path(folder) / "model.weights.h5")
            original.save(whole)
            original.save_weights(weights)
            other = self._model(kind, "other")[0]
            other.load_weights(weights)
            loaded = self._keras.models.load_model(whole)
        trips = [
            RoundTrip(
                route,
                config,
                _through_json(one.get_config()) if one is loaded else config,
                held,
                [*one.get_weights(), np.asarray(one(inputs, training=False))],
                (_dtypes(original), _dtypes(one)),
            )
            for route, one in ((".keras", loaded), (".weights.h5", other))
        ]
        return trips, first

    @quiet()
    def continued(self, rule: Rule) -> Continued:
        """Three steps, a ``.keras`` file, three more steps: against six steps without interruption."""
        keras = self._keras
        seed = self._lab.stream("continued", str(rule))
        stream = np.random.RandomState(seed % 2**32)
        x = stream.normal(size=(6, 4, 3)).astype(np.float32)
        y = stream.normal(size=(6, 4, 2)).astype(np.float32)
        config = dict(rule.config)
        if "learning_rate" in config and not isinstance(config["learning_rate"], float):
            schedule = config["learning_rate"]
            config["learning_rate"] = getattr(keras.optimizers.schedules, schedule.name)(**schedule.config)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(2)])
        model.compile(optimizer=getattr(keras.optimizers, rule.name)(**config), loss="mse", run_eagerly=True)
        initial = model.get_weights()
        for step in range(3):
            model.train_on_batch(x[step], y[step])
        saved = model.get_weights()
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.keras")
            model.save(path)
            loaded = keras.models.load_model(path)
        loaded.run_eagerly = True  # the same kernels for both, whatever the file says
        config_before, config_after = (_through_json(one.optimizer.get_config()) for one in (model, loaded))
        for step in range(3, 6):
            for one in (model, loaded):
                one.train_on_batch(x[step], y[step])
        state, state_again = ([np.asarray(one) for one in each.optimizer.variables] for each in (model, loaded))
        return Continued(
            initial=initial,
            saved=saved,
            weights=model.get_weights(),
            weights_again=loaded.get_weights(),
            state=state,
            state_again=state_again,
            config=config_before,
            config_again=config_after,
        )

    @quiet()
    def clone(self, kind: str, seeded: bool) -> Clone:
        """A model with weights unlike its first ones, and its clone."""
        original, seed = self._model(kind, "cloned", seeded)
        initial = original.get_weights()
        _disturb(original, seed)
        trained = original.get_weights()
        clone = self._keras.models.clone_model(original)
        cloned = clone.get_weights()
        clone.set_weights([np.zeros_like(one) for one in cloned])
        return Clone(
            initial,
            trained,
            cloned,
            original.get_weights(),
            _through_json(original.get_config()),
            _through_json(clone.get_config()),
        )

    def got_by_name(self, name: str) -> Got:
        """What ``initializers.get`` makes of a string."""
        return self._got(name)

    def got(self, form: str) -> Got:
        """What ``initializers.get`` makes of a class, an instance, a configuration, a function, or nothing."""
        keras = self._keras.initializers
        instance = keras.RandomNormal(mean=0.25, stddev=0.5, seed=11)
        forms: dict[str, Any] = {
            "class": keras.HeNormal,
            "instance": instance,
            "class_name and config": {
                "class_name": "RandomNormal",
                "config": {"mean": 0.25, "stddev": 0.5, "seed": 11},
            },
            "serialized": keras.serialize(instance),
            "function": lambda shape, dtype=None: np.full(shape, 2.0, dtype or "float32"),
            "nothing": None,
        }
        return self._got(forms[form])

    def _got(self, asked: Any) -> Got:
        get = self._keras.initializers.get
        first, second = get(asked), get(asked)
        return Got(
            kind=type(first).__name__,
            fresh=first is not second,
            same=first is asked,
            draws=[] if first is None else [*_draws(first, [(4, 4)]), *_draws(second, [(4, 4)])],
            config=_through_json(first.get_config()) if hasattr(first, "get_config") else {},
        )

    def _model(self, kind: str, purpose: str, seeded: bool = True) -> tuple[Any, int]:
        """A fresh model of that kind; its layers' initializers take seeds of their own, or none."""
        seed = self._lab.stream("saving", kind, purpose)
        made: list[int] = []

        def initializer(name: str) -> Any:
            made.append(1)
            own = self._lab.stream("saving", kind, purpose, name) if seeded else None
            if len(made) % 2:
                return self._keras.initializers.VarianceScaling(1.5, "fan_out", "uniform", seed=own)
            return self._keras.initializers.RandomNormal(0.1, 0.3, seed=own)

        return BUILDERS[kind](self._keras, initializer), seed


def _through_json(config: Any) -> Any:
    return json.loads(json.dumps(config, default=_plain))


def _plain(value: Any) -> Any:
    """A NumPy or framework number as Python's."""
    return np.asarray(value).tolist()


def _without_names(config: Any) -> Any:
    """The configuration without the names that Keras makes up for generators."""
    if isinstance(config, dict):
        return {key: _without_names(value) for key, value in config.items() if key != "name"}
    return config


def _draws(initializer: Any, shapes: Sequence[Shape]) -> Arrays:
    with quiet():  # Keras 2 warns when an unseeded instance is called again
        return [np.asarray(initializer(shape)) for shape in shapes]


def _disturb(model: Any, seed: int) -> None:
    """Gives every weight, moving statistics too, a value that no initializer would; positive, as variances must be."""
    stream = np.random.RandomState((seed + 1) % 2**32)
    model.set_weights([stream.uniform(0.1, 1.1, size=one.shape).astype(one.dtype) for one in model.get_weights()])


def _dtypes(model: Any) -> str:
    return " ".join(str(one.dtype) for one in model.get_weights())
