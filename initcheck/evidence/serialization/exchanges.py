"""Weights that models of one architecture exchange through memory and files, however each of them is written."""

from __future__ import annotations

import inspect
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.serialization.custom_models import CUSTOM, OVERRIDING, deep_losses
from initcheck.evidence.serialization.linked_models import LINKED, structured
from initcheck.evidence.serialization.round_trips import Arrays
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.quiet import quiet

_INPUTS = np.random.RandomState(5).normal(size=(4, 3)).astype(np.float32)
_WEIGHTS, _KERAS, _H5 = ".weights.h5", ".keras", ".h5"


class Exchanges:
    """Evidence from two models of which one takes the other's weights.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    @quiet()
    def exchanged(self, name: str) -> tuple[Arrays, Arrays] | None:
        """The output and weights that are expected, and those of the model that took them; None where Keras cannot.

        Args:
            name: One of ``EXCHANGES``.

        Raises:
            Exception: Whatever the framework raises.
        """
        with tempfile.TemporaryDirectory(prefix="with spaces and ünicode ") as folder:
            return EXCHANGES[name](self._keras, Path(folder))


Exchange = Callable[[Any, Path], tuple[Arrays, Arrays] | None]


def _functional(keras: Any, names: tuple[str, str] = ("one", "two"), width: int = 2) -> Any:
    first, second = keras.layers.Dense(3, name=names[0]), keras.layers.Dense(width, name=names[1])
    inputs = keras.Input((3,))
    return keras.Model(inputs, second(first(inputs)))


def _sequential(keras: Any) -> Any:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), keras.layers.Dense(2)])


def _subclassed_functional(keras: Any) -> Any:
    class Named(keras.Model):  # type: ignore[misc]
        """Has its layers in attributes too, whose names sort the other way."""

        def __init__(self) -> None:
            first, second, inputs = keras.layers.Dense(3), keras.layers.Dense(2), keras.Input((3,))
            super().__init__(inputs, second(first(inputs)))
            self.z, self.a = first, second

    return Named()


def _subclassed(keras: Any) -> Any:
    class InAttributes(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = keras.layers.Dense(3), keras.layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.second(self.first(inputs))

    return InAttributes()


def _contained(keras: Any) -> Any:
    class Contained(keras.Model):  # type: ignore[misc]
        """Has its layers in a list and a dictionary, eleven in the list."""

        def __init__(self) -> None:
            super().__init__()
            self.blocks = [keras.layers.Dense(3) for _ in range(11)]
            self.named = {"z": keras.layers.Dense(3), "a": keras.layers.Dense(2)}

        def call(self, inputs: Any) -> Any:
            for layer in (*self.blocks, self.named["z"], self.named["a"]):
                inputs = layer(inputs)
            return inputs

    return Contained()


def _shared(keras: Any) -> Any:
    """A layer that was called elsewhere before, and twice here."""
    layer = keras.layers.Dense(3)
    elsewhere, inputs = keras.Input((3,)), keras.Input((3,))
    keras.Model(elsewhere, layer(elsewhere))
    return keras.Model(inputs, keras.layers.Dense(2)(layer(layer(inputs))))


def _deep(keras: Any) -> Any:
    """Models within models, three deep, with layers before and after the inner ones."""
    inside = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    for _ in range(2):
        inputs = keras.Input((3,))
        inside = keras.Model(inputs, keras.layers.Dense(3)(inside(keras.layers.Dense(3)(inputs))))
    return inside


def _half(dtype: str) -> Callable[[Any], Any]:
    def make(keras: Any) -> Any:
        return keras.Sequential([keras.Input((3,)), *(keras.layers.Dense(3, dtype=dtype) for _ in range(2))])

    return make


def _named(keras: Any) -> Any:
    """Inputs and outputs by name, whose order is not that of the letters."""
    inputs = {"z": keras.Input((3,), name="z"), "a": keras.Input((3,), name="a")}
    outputs = {"y": keras.layers.Dense(2, name="y")(inputs["z"]), "b": keras.layers.Dense(2, name="b")(inputs["a"])}
    return keras.Model(inputs, outputs)


def _called(model: Any) -> Arrays:
    """Its outputs, how they are put together, and its losses."""
    output = model(_inputs(model), training=False)
    arrays, structure = _flat(output)
    losses = sorted(float(as_array(one)) for one in model.losses)
    return [*arrays, np.frombuffer(structure.encode(), np.uint8), np.array(losses)]


def _inputs(model: Any) -> Any:
    if len(getattr(model, "inputs", None) or ()) < 2:
        return _INPUTS
    if isinstance(model.input, dict):
        return {name: _INPUTS * (2 if name == "z" else 1) for name in model.input}
    return [_INPUTS * (number + 1) for number in range(len(model.inputs))]


def _flat(output: Any) -> tuple[Arrays, str]:
    """The arrays of nested outputs in order, and their structure in words."""
    if isinstance(output, dict):
        names, parts = sorted(output), [_flat(output[name]) for name in sorted(output)]
    elif isinstance(output, list | tuple):
        names, parts = [type(output).__name__], [_flat(one) for one in output]
    else:
        return [as_array(output)], "array"
    return [array for arrays, _ in parts for array in arrays], f"{names} of ({', '.join(words for _, words in parts)})"


def _filled(model: Any, start: int = 1) -> Any:
    """Called once, so that it is built, and every weight a value of its own."""
    _called(model)
    stream = np.random.RandomState(start)
    model.set_weights([stream.uniform(0.25, 1.25, size=one.shape).astype(one.dtype) for one in model.get_weights()])
    return model


def _shown(model: Any) -> Arrays:
    return [*_called(model), *model.get_weights()]


def _in_memory(giver: Callable[[Any], Any], taker: Callable[[Any], Any]) -> Exchange:
    def exchange(keras: Any, _: Path) -> tuple[Arrays, Arrays]:
        one, other = _filled(giver(keras)), _filled(taker(keras), 2)
        other.set_weights(one.get_weights())
        return _shown(one), _shown(other)

    return exchange


def _by_file(
    giver: Callable[[Any], Any], taker: Callable[[Any], Any], suffix: str = _WEIGHTS, **options: Any
) -> Exchange:
    def exchange(keras: Any, folder: Path) -> tuple[Arrays, Arrays]:
        one, other = _filled(giver(keras)), _filled(taker(keras), 2)
        path = str(folder / f"model{suffix}")
        (one.save_weights if suffix == _WEIGHTS else one.save)(path)
        other.load_weights(path, **options)
        return _shown(one), _shown(other)

    return exchange


def _whole(make: Callable[[Any], Any], suffix: str) -> Exchange:
    """The whole model, read from a file."""

    def exchange(keras: Any, folder: Path) -> tuple[Arrays, Arrays]:
        one, path = _filled(make(keras)), str(folder / f"model{suffix}")
        one.save(path)
        return _shown(one), _shown(keras.models.load_model(path, compile=False))

    return exchange


def _cloned(make: Callable[[Any], Any]) -> Exchange:
    def exchange(keras: Any, _: Path) -> tuple[Arrays, Arrays]:
        one = _filled(make(keras))
        clone = keras.models.clone_model(one)
        clone.set_weights(one.get_weights())
        return _shown(one), _shown(clone)

    return exchange


def _from_config(make: Callable[[Any], Any]) -> Exchange:
    def exchange(keras: Any, _: Path) -> tuple[Arrays, Arrays]:
        one = _filled(make(keras))
        rebuilt = type(one).from_config(one.get_config())
        rebuilt.set_weights(one.get_weights())
        return [*_shown(one), _in_bytes(one)], [*_shown(rebuilt), _in_bytes(rebuilt)]

    return exchange


def _in_bytes(model: Any) -> np.ndarray:
    """Which tensors its inputs and outputs are, as its configuration says."""
    config = model.get_config()
    ends = json.dumps([config.get("input_layers"), config.get("output_layers")])
    return np.frombuffer(ends.encode(), np.uint8)


def _collected(keras: Any, _: Path) -> tuple[Arrays, Arrays]:
    """In each of two inner layers: what it adds, the activity of its layer, and the weights of that."""
    return [np.array(6)], [np.array(len(_filled(deep_losses(keras)).losses))]


def _recloned(keras: Any, _: Path) -> tuple[Arrays, Arrays] | None:
    """Each layer of the models within a model is made by the function that is given, here not trainable."""
    if "recursive" not in inspect.signature(keras.models.clone_model).parameters:
        return None
    one = _filled(_deep(keras))

    def frozen(layer: Any) -> Any:
        return type(layer).from_config({**layer.get_config(), "trainable": False})

    clone = keras.models.clone_model(one, clone_function=frozen, recursive=True)
    clone.set_weights(one.get_weights())
    return [*_shown(one), np.array(0)], [*_shown(clone), np.array(len(clone.trainable_weights))]


def _compiled(keras: Any, folder: Path) -> tuple[Arrays, Arrays] | None:
    """A model whose class says how it was compiled, and how to compile it anew."""

    @keras.saving.register_keras_serializable(package="initcheck")
    class Compiled(keras.Sequential):  # type: ignore[misc]
        def compile_twice(self, factor: float) -> None:
            self.factor = factor
            self.compile(loss="mse")

        def get_compile_config(self) -> dict[str, float]:
            return {"factor": self.factor}

        def compile_from_config(self, config: Mapping[str, float]) -> None:
            self.compile_twice(config["factor"])

    one = Compiled([keras.Input((3,)), keras.layers.Dense(2)])
    one.compile_twice(0.375)
    one.save(folder / "model.keras")
    other = keras.models.load_model(folder / "model.keras")
    return [*_shown(one), np.array(one.factor)], [*_shown(other), np.array(getattr(other, "factor", np.nan))]


def _drawn_again(keras: Any, _: Path) -> tuple[Arrays, Arrays] | None:
    """Layers that draw go on as those whose generators' states they are given."""
    if not hasattr(getattr(keras, "random", None), "SeedGenerator"):
        return None

    def noisy(calls: int) -> Any:
        layers = keras.layers
        noise = [layers.Dropout(0.5, seed=calls), layers.GaussianNoise(0.5, seed=3), layers.AlphaDropout(0.5)]
        model = keras.Sequential([keras.Input((3,)), *noise, layers.Dense(2), layers.GaussianDropout(0.5)])
        for _ in range(calls):
            model(_INPUTS, training=True)
        return model

    one, other = noisy(1), noisy(2)
    for mine, its in zip(other.variables, one.variables, strict=True):
        mine.assign(its)
    return [as_array(one(_INPUTS, training=True))], [as_array(other(_INPUTS, training=True))]


def _sharded(keras: Any, folder: Path) -> tuple[Arrays, Arrays] | None:
    one, other = _filled(_contained(keras)), _filled(_contained(keras), 2)
    if "max_shard_size" not in inspect.signature(one.save_weights).parameters:
        return None
    one.save_weights(folder / "model.weights.json", max_shard_size=1e-7)  # in GB: each layer its own file
    other.load_weights(folder / "model.weights.json")
    return _shown(one), _shown(other)


def _mismatched(suffix: str, **options: Any) -> Exchange:
    """A layer of another shape keeps its own weights; the other layer takes those of the file."""

    def exchange(keras: Any, folder: Path) -> tuple[Arrays, Arrays] | None:
        if suffix == _H5 and not options and not hasattr(keras, "ops"):  # Keras 2 skips by name alone
            return None
        one, other = _filled(_functional(keras)), _filled(_functional(keras, width=4), 2)
        path = str(folder / f"model{suffix}")
        (one.save_weights if suffix == _WEIGHTS else one.save)(path)
        expected = [*one.get_weights()[:2], *other.get_weights()[2:]]
        other.load_weights(path, skip_mismatch=True, **options)
        return expected, other.get_weights()

    return exchange


def _swapped(keras: Any, folder: Path) -> tuple[Arrays, Arrays]:
    """By name, whatever the order of the layers."""
    dense = keras.layers.Dense
    one = _filled(keras.Sequential([keras.Input((3,)), dense(3, name="one"), dense(3, name="two")]))
    other = _filled(keras.Sequential([keras.Input((3,)), dense(3, name="two"), dense(3, name="new")]), 2)
    one.save(folder / "model.h5")
    expected = [*one.get_weights()[2:], *other.get_weights()[2:]]
    other.load_weights(str(folder / "model.h5"), by_name=True)
    return expected, other.get_weights()


_BOTH_WAYS = {
    "functional-and-sequential": (_functional, _sequential),
    "functional-and-its-subclass": (_functional, _subclassed_functional),
}
_WHOLE: Mapping[str, Callable[[Any], Any]] = {
    "three-deep": _deep,
    "shared-layer": _shared,
    "named-inputs": _named,
    "float16": _half("float16"),
    "bfloat16": _half("bfloat16"),
    "structure-of-lists": lambda keras: structured(keras, list),
    **CUSTOM,
    **LINKED,
}
# Keras 3 does not know operations when it reads the older format, and Keras 2 names weights alike that are built apart.
_NOT_IN_H5 = ("slices", "operators", "losses-of-inner-layers")
_TUPLES: Mapping[str, Callable[[Any], Any]] = {"structure-of-tuples": lambda keras: structured(keras, tuple)}
EXCHANGES: Mapping[str, Exchange] = {
    "subclassed-to-functional-in-memory": _in_memory(_subclassed, _functional),
    "functional-to-subclassed-in-memory": _in_memory(_functional, _subclassed),
    **{f"{name}-there": _by_file(one, other) for name, (one, other) in _BOTH_WAYS.items()},
    **{f"{name}-back": _by_file(other, one) for name, (one, other) in _BOTH_WAYS.items()},
    "subclassed": _by_file(_subclassed, _subclassed),
    "layers-in-containers": _by_file(_contained, _contained),
    "layers-in-containers-sharded": _sharded,
    "renamed-layers": _by_file(_functional, lambda keras: _functional(keras, ("other", "names"))),
    "renamed-layers-of-h5": _by_file(_functional, lambda keras: _functional(keras, ("other", "names")), _H5),
    "weights-of-keras-file": _by_file(_functional, _sequential, _KERAS),
    "skip-mismatch": _mismatched(_WEIGHTS),
    "skip-mismatch-of-h5": _mismatched(_H5),
    "skip-mismatch-by-name-of-h5": _mismatched(_H5, by_name=True),
    "by-name-of-h5": _swapped,
    **{f"{name}-clone": _cloned(make) for name, make in {**_WHOLE, **_TUPLES}.items()},
    **{f"{name}-config": _from_config(make) for name, make in {**_WHOLE, **_TUPLES}.items()},
    **{f"{name}-weights": _by_file(make, make) for name, make in _WHOLE.items() if name not in LINKED},
    **{f"{name}-keras": _whole(make, _KERAS) for name, make in _WHOLE.items()},
    **{f"{name}-h5": _whole(make, _H5) for name, make in _WHOLE.items() if name not in _NOT_IN_H5},
    **{f"{name}-weights": _by_file(make, make) for name, make in OVERRIDING.items()},
    **{f"{name}-keras": _whole(make, _KERAS) for name, make in OVERRIDING.items()},
    "recursive-clone": _recloned,
    "compile-from-config": _compiled,
    "losses-of-inner-layers-collected": _collected,
    "generators": _drawn_again,
}
