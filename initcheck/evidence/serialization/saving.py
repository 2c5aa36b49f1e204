"""Configs, weights and models after a round trip through JSON or a file."""

from __future__ import annotations

import functools
import inspect
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.initializers import Initializer
from initcheck.catalog.laws import Shape
from initcheck.catalog.layers.traits.weights import SavedInitializers
from initcheck.catalog.recipes import Recipe
from initcheck.evidence.serialization.exchanges import Exchanges
from initcheck.evidence.serialization.models import BUILDERS, inputs_for
from initcheck.evidence.serialization.named_judges import CompiledNames
from initcheck.evidence.serialization.other_backends import OtherBackends
from initcheck.evidence.serialization.resumed_trainings import Resumptions
from initcheck.evidence.serialization.round_trips import Arrays, Clone, Continued, Got, RoundTrip
from initcheck.evidence.serialization.saved_parts import SavedParts
from initcheck.evidence.serialization.single_arguments import SingleArguments
from initcheck.evidence.session import Session
from initcheck.evidence.toy_models import make_layers, make_model
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.instances import make_initializer
from initcheck.frameworks.quiet import quiet
from initcheck.oracle.optimizer_steps import Schedule

if TYPE_CHECKING:
    from initcheck.catalog.optimizers import Rule


_RATE = 0.0234375  # assigned after compiling; exact in single precision


class Saving:
    """Evidence from initializers, layers and models that were written and read.

    Where a method takes the kind of a model, that is a name of ``BUILDERS`` or a recipe.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    @functools.cached_property
    def parts(self) -> SavedParts:
        """Layers, optimizers, losses and similar objects rebuilt from their configs."""
        return SavedParts(self._session)

    @functools.cached_property
    def compiled_names(self) -> CompiledNames:
        """Losses and metrics that are given by name."""
        return CompiledNames(self._session)

    @functools.cached_property
    def arguments(self) -> SingleArguments:
        """Layers with one argument that is not at its default."""
        return SingleArguments(self._session)

    @functools.cached_property
    def exchanges(self) -> Exchanges:
        """Models that take each other's weights."""
        return Exchanges(self._session)

    @functools.cached_property
    def other_backends(self) -> OtherBackends:
        """Models in files that another backend reads."""
        return OtherBackends(self._session)

    @functools.cached_property
    def resumptions(self) -> Resumptions:
        """Trainings that are resumed from files."""
        return Resumptions(self._session)

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
                trips.append(_trip(route, original(), again, shapes))
        return trips

    def advancing_initializer(self, row: Initializer, seed: int, shapes: Sequence[Shape]) -> list[RoundTrip] | None:
        """The same with a ``SeedGenerator`` for its seed; None where Keras has none."""
        generator = getattr(getattr(self._keras, "random", None), "SeedGenerator", None)
        if generator is None:
            return None
        # A name that is given is part of the configuration; one that Keras makes up is not, and there is none without.
        named = {"name": "named"} if "name" in inspect.signature(generator.__init__).parameters else {}
        trips = []
        for route in ("from_config(get_config())", "deserialize(serialize())"):
            written = make_initializer(row, generator(seed, **named))
            if route.startswith("from_config"):
                again = type(written).from_config(_through_json(written.get_config()))
            else:
                initializers = self._keras.initializers
                again = initializers.deserialize(_through_json(initializers.serialize(written)))
            trips.append(_trip(route, written, again, shapes))
        return trips

    @quiet()
    def layer(self, case: SavedInitializers) -> RoundTrip:
        """A layer with those initializers, built, and rebuilt from its configuration."""
        made = {
            key: getattr(self._keras.initializers, one["class_name"])(**one["config"])
            for key, one in case.initializers.items()
        }
        layers = self._keras.layers
        kind = getattr(layers, case.layer)
        if case.wraps:
            original = kind(getattr(layers, case.wraps.layer)(**case.wraps.arguments, **made), **case.arguments)
        else:
            original = kind(**case.arguments, **made)
        written = _through_json(original.get_config())
        again = type(original).from_config(_through_json(original.get_config()))
        config_again = _through_json(again.get_config())  # before building, which may rename the axes
        inputs = np.zeros(case.input_shape, case.dtype)
        for one in (original, again):
            one(inputs)
        return RoundTrip(
            route=f"{case.layer}.from_config(get_config())",
            config=written,
            config_again=config_again,
            arrays=original.get_weights(),
            arrays_again=again.get_weights(),
        )

    @quiet()
    def rebuilt_model(self, kind: str | Recipe) -> list[RoundTrip]:
        """A seeded model rebuilt from its config by every route; its initial weights must repeat."""
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
            RoundTrip(
                route,
                config,
                _through_json(one.get_config()),
                first,
                one.get_weights(),
                (_traits(original), _traits(one)),
            )
            for route, one in rebuilt.items()
        ]

    @quiet()
    def saved_model(self, kind: str | Recipe) -> tuple[list[RoundTrip], Arrays]:
        """A model with weights unlike its initial ones through files, and those initial weights.

        The arrays are the weights, then the outputs.
        """
        original, other, first, seed = self._to_save(kind)
        _disturb(original, seed)
        inputs = inputs_for(original, seed)
        written = [*original.get_weights(), as_array(original(inputs, training=False))]
        config = _through_json(original.get_config())
        with tempfile.TemporaryDirectory() as folder:
            loaded = self._through_files(original, other, folder)
        trips = [
            RoundTrip(
                route,
                config,
                config if one is other else _through_json(one.get_config()),
                written,
                [*one.get_weights(), as_array(one(inputs, training=False))],
                (_traits(original), _traits(one)),
            )
            for route, one in loaded.items()
        ]
        return trips, first

    @quiet()
    def special_values(self, kind: str | Recipe) -> list[RoundTrip]:
        """Weights of every kind of number, through the same files."""
        original, other, _, seed = self._to_save(kind)
        written = _special(original, seed)
        with tempfile.TemporaryDirectory() as folder:
            loaded = self._through_files(original, other, folder)
        return [RoundTrip(route, {}, {}, written, one.get_weights()) for route, one in loaded.items()]

    @quiet()
    def legacy_file(self, kind: str | Recipe) -> list[RoundTrip]:
        """A whole model through an ``.h5`` file: its weights and outputs, then weights of every kind of number."""
        original, _, _, seed = self._to_save(kind)
        inputs = inputs_for(original, seed)
        trips = []
        with tempfile.TemporaryDirectory() as folder:
            for values in ("plain", "special"):
                path = str(Path(folder) / f"{values}.h5")
                if values == "plain":
                    _disturb(original, seed)
                else:
                    _special(original, seed)
                original.save(path)
                loaded = self._keras.models.load_model(path, compile=False)
                arrays = [one.get_weights() for one in (original, loaded)]
                if values == "plain":
                    arrays = [
                        [*weights, as_array(one(inputs, training=False))]
                        for weights, one in zip(arrays, (original, loaded), strict=True)
                    ]
                trips.append(
                    RoundTrip(
                        f".h5, {values} numbers", {}, {}, arrays[0], arrays[1], (_traits(original), _traits(loaded))
                    )
                )
        return trips

    def _to_save(self, kind: str | Recipe) -> tuple[Any, Any, Arrays, int]:
        """A model, another one of its kind with other weights, the first one's initial weights, and its seed."""

        def make() -> tuple[Any, Any, Arrays, int]:
            original, seed = self._model(kind, "saved")
            return original, self._model(kind, "other")[0], original.get_weights(), seed

        parts: tuple[Any, Any, Arrays, int] = self._session.once(("model to save", kind), make)
        return parts

    def _through_files(self, original: Any, other: Any, folder: str) -> dict[str, Any]:
        """Returns the models read from the files: a new one, and the other one with the weights of the file."""
        model_path, weights_path = str(Path(folder) / "model.keras"), str(Path(folder) / "model.weights.h5")
        original.save(model_path)
        original.save_weights(weights_path)
        other.load_weights(weights_path)
        return {".keras": self._keras.models.load_model(model_path), ".weights.h5": other}

    @quiet()
    def continued(self, rule: Rule) -> Continued:
        """Three steps, a ``.keras`` file, three more steps; and six steps without interruption.

        The loss has options that are not its defaults, and the learning rate is assigned before the file is written.
        """
        keras = self._keras
        seed = self._session.stream("continued", str(rule))
        stream = np.random.RandomState(seed % 2**32)
        x = stream.normal(size=(6, 4, 3)).astype(np.float32)
        y = stream.uniform(size=(6, 4, 2)).astype(np.float32)
        config = dict(rule.config)
        if "learning_rate" in config and not isinstance(config["learning_rate"], float):
            schedule = config["learning_rate"]
            config["learning_rate"] = getattr(keras.optimizers.schedules, schedule.name)(**schedule.config)
        # Several slots of one shape, which may be mixed up.
        hidden = [keras.layers.Dense(3, activation="tanh") for _ in range(2)]
        model = keras.Sequential([keras.Input((3,)), *hidden, keras.layers.Dense(2)])
        model.compile(
            optimizer=getattr(keras.optimizers, rule.optimizer.name)(**config),
            loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
            run_eagerly=True,
        )
        initial = model.get_weights()
        for step in range(3):
            model.train_on_batch(x[step], y[step])
        saved = model.get_weights()
        assigned = None if isinstance(rule.config.get("learning_rate"), Schedule) else _RATE
        if assigned:
            model.optimizer.learning_rate = assigned
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.keras")
            model.save(path)
            loaded = keras.models.load_model(path)
        loaded.run_eagerly = True  # the same kernels for both, whatever the file says
        config_before, config_after = (_through_json(one.optimizer.get_config()) for one in (model, loaded))
        for step in range(3, 6):
            for one in (model, loaded):
                one.train_on_batch(x[step], y[step])
        state, state_again = ([as_array(one) for one in each.optimizer.variables] for each in (model, loaded))
        return Continued(
            initial=initial,
            saved=saved,
            weights=model.get_weights(),
            weights_again=loaded.get_weights(),
            state=state,
            state_again=state_again,
            config=config_before,
            config_again=config_after,
            assigned=assigned,
        )

    @quiet()
    def clone(self, kind: str | Recipe, seeded: bool) -> Clone:
        """A model with weights unlike its initial ones, and its clone."""
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
        """Returns the results of ``initializers.get`` for a string."""
        return self._got(name)

    def got(self, form: str) -> Got:
        """Returns the results of ``initializers.get`` for a class, an instance, a config, a function, or None."""
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

    def _got(self, identifier: Any) -> Got:
        get = self._keras.initializers.get
        first, second = get(identifier), get(identifier)
        return Got(
            kind=type(first).__name__,
            fresh=first is not second,
            same=first is identifier,
            draws=[] if first is None else [*_draws(first, [(4, 4)]), *_draws(second, [(4, 4)])],
            config=_through_json(first.get_config()) if hasattr(first, "get_config") else {},
        )

    def _model(self, kind: str | Recipe, purpose: str, seeded: bool = True) -> tuple[Any, int]:
        """A fresh model of that kind; its layers' initializers take seeds of their own, or none."""
        if isinstance(kind, Recipe):
            seed = self._session.stream("saving", kind.name, purpose)
            layers = make_layers(self._keras, replace(kind, seeded=seeded), seed)
            dtype = "int32" if kind.vocabulary else "float32"
            return make_model(self._keras, layers, kind.input_shape, "sequential", dtype), seed
        seed = self._session.stream("saving", kind, purpose)
        made: list[int] = []

        def initializer(name: str) -> Any:
            made.append(1)
            own = self._session.stream("saving", kind, purpose, name) if seeded else None
            if len(made) % 2:
                return self._keras.initializers.VarianceScaling(1.5, "fan_out", "uniform", seed=own)
            return self._keras.initializers.RandomNormal(0.1, 0.3, seed=own)

        return BUILDERS[kind](self._keras, initializer), seed


def _through_json(config: Any) -> Any:
    return json.loads(json.dumps(config, default=_plain))


def _plain(value: Any) -> Any:
    """A NumPy or framework number as Python's."""
    return as_array(value).tolist()


def _trip(route: str, written: Any, again: Any, shapes: Sequence[Shape]) -> RoundTrip:
    """An initializer and what was read of it; some versions read a text where they do not know its class."""
    read = isinstance(again, type(written))
    return RoundTrip(
        route=route,
        config=_through_json(written.get_config()),
        config_again=_through_json(again.get_config()) if read else {},
        arrays=_draws(written, shapes),
        arrays_again=_draws(again, shapes) if read else [],
        kinds=(type(written).__name__, type(again).__name__),
    )


def _draws(initializer: Any, shapes: Sequence[Shape]) -> Arrays:
    with quiet():  # Keras 2 warns when an unseeded instance is called again
        return [as_array(initializer(shape)) for shape in shapes]


def _disturb(model: Any, seed: int) -> None:
    """Gives every weight, moving statistics too, a value that no initializer would; positive, as variances must be."""
    stream = np.random.RandomState((seed + 1) % 2**32)
    model.set_weights([stream.uniform(0.1, 1.1, size=one.shape).astype(one.dtype) for one in model.get_weights()])


def _special(model: Any, seed: int) -> Arrays:
    """Gives the weights every kind of number that their dtype has, and returns them."""
    stream = np.random.RandomState((seed + 2) % 2**32)
    values = []
    for one in model.get_weights():
        info = np.finfo(one.dtype)
        kinds = [0.0, -0.0, info.smallest_subnormal, -7 * info.smallest_subnormal, info.tiny, info.max, -info.max]
        kinds += [np.inf, -np.inf, np.nan, -1.5, 1 / 3]
        values.append(np.array(stream.permutation(np.resize(kinds, one.size)), one.dtype).reshape(one.shape))
    model.set_weights(values)
    return values


def _traits(model: Any) -> str:
    """Returns each weight's dtype, and of each layer its dtypes and whether it is trainable."""
    layers = [f"{one.trainable} {one.compute_dtype} {one.variable_dtype}" for one in model.layers]
    return "; ".join([*layers, *(str(one.dtype) for one in model.get_weights())])
