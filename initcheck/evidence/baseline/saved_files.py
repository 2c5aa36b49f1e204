"""Small trained models in files of every format, and what an environment makes of such a file."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.engines.perturbed import perturbed
from initcheck.evidence.baseline.layer_stages import deviation
from initcheck.evidence.trace import Array, Arrays
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_target_keras
from initcheck.frameworks.quiet import quiet

KERAS, WEIGHTS, H5 = ".keras", ".weights.h5", ".h5"
_ROWS = 6
_SHARED = re.compile(r'(?<="shared_object_id": )\d+')
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip file knows


@dataclass(frozen=True)
class SavedModel:
    """A model to save.

    Attributes:
        build: Makes it, compiled.
        shape: Of its inputs, batch first.
        formats: In which it is saved.
        steps: Of training before that.
        vocabulary: Above 0 where its inputs are integers below it.
    """

    build: Callable[[Any], Any]
    shape: tuple[int, ...]
    formats: tuple[str, ...] = (KERAS, WEIGHTS, H5)
    steps: int = 3
    vocabulary: int = 0

    def batch(self, step: int) -> tuple[Array, Array]:
        """The rows and targets of a step."""
        stream = np.random.RandomState(step)
        x = stream.randint(0, self.vocabulary, self.shape) if self.vocabulary else stream.normal(size=self.shape)
        return x.astype("int32" if self.vocabulary else "float32"), stream.normal(size=(len(x), 1)).astype(np.float32)


def _compiled(keras: Any, model: Any, optimizer: Any = None) -> Any:
    # An object, for not every version loads a file with a loss of that name. All have names: automatic ones count up.
    model.compile(
        optimizer=optimizer or keras.optimizers.Adam(0.01, name="optimizer"), loss=keras.losses.MeanSquaredError()
    )
    return model


def _sequential(keras: Any, name: str, *layers: Any, optimizer: Any = None) -> Any:
    return _compiled(keras, keras.Sequential(list(layers), name=name), optimizer)


def _dense(keras: Any) -> Any:
    dense = keras.layers.Dense
    layers = dense(4, activation="tanh", name="hidden"), dense(1, name="last")
    return _sequential(keras, "dense", keras.Input((3,), name="rows"), *layers)


def _frozen(keras: Any) -> Any:
    dense = keras.layers.Dense
    layers = dense(3, trainable=False, name="kept"), dense(1, name="last")
    return _sequential(keras, "frozen", keras.Input((3,), name="rows"), *layers)


def _images(keras: Any) -> Any:
    layers = keras.layers
    return _sequential(
        keras,
        "images",
        keras.Input((5, 5, 2), name="rows"),
        layers.Conv2D(3, 3, name="convolution"),
        layers.BatchNormalization(name="normalization"),
        layers.GlobalAveragePooling2D(name="pooling"),
        layers.Dense(1, name="last"),
        optimizer=keras.optimizers.SGD(
            keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9, name="optimizer"
        ),
    )


def _words(keras: Any) -> Any:
    layers = keras.layers
    return _sequential(
        keras,
        "words",
        keras.Input((4,), dtype="int32", name="rows"),
        layers.Embedding(7, 3, name="embedding"),
        layers.GRU(2, name="gru"),
        layers.LayerNormalization(name="normalization"),
        layers.Dense(1, name="last"),
        optimizer=keras.optimizers.RMSprop(0.01, name="optimizer"),
    )


def _subclassed(keras: Any) -> Any:
    class Subclassed(keras.Model):  # type: ignore[misc] # Keras is loaded at run time
        """Layers as attributes, and in a list."""

        def __init__(self) -> None:
            super().__init__(name="subclassed")
            self.first = keras.layers.Dense(3, activation="tanh", name="first")
            self.more = [keras.layers.Dense(3, activation="tanh", name=f"more{number}") for number in range(2)]
            self.last = keras.layers.Dense(1, name="last")

        def call(self, inputs: Any) -> Any:
            value = self.first(inputs)
            for layer in self.more:
                value = layer(value)
            return self.last(value)

    model = Subclassed()
    model(np.zeros((1, 3), np.float32))
    return _compiled(keras, model)


def _linked(keras: Any) -> Any:
    """A layer called twice, a model in a model, a frozen normalization; options of the loss and the optimizer."""
    layers = keras.layers
    rows = keras.Input((3,), name="rows")
    shared = layers.Dense(3, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.125), name="shared")
    normalization = layers.BatchNormalization(trainable=False, name="normalization")
    base = keras.Sequential(
        [keras.Input((3,), name="inside"), layers.Dense(4, name="dense"), normalization], name="base"
    )
    joined = layers.Concatenate(name="joined")([base(shared(shared(rows))), rows])
    last = layers.Dense(1, kernel_constraint=keras.constraints.UnitNorm(), name="last")
    model = keras.Model(rows, last(joined), name="linked")
    model.compile(
        optimizer=keras.optimizers.SGD(0.1, momentum=0.75, nesterov=True, clipvalue=0.25, name="optimizer"),
        loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.25),
    )
    return model


MODELS: Mapping[str, SavedModel] = {
    "dense": SavedModel(_dense, (_ROWS, 3)),
    "frozen": SavedModel(_frozen, (_ROWS, 3), steps=1),
    "images": SavedModel(_images, (_ROWS, 5, 5, 2)),
    "words": SavedModel(_words, (_ROWS, 4), vocabulary=7),
    "linked": SavedModel(_linked, (_ROWS, 3)),
    "subclassed": SavedModel(_subclassed, (_ROWS, 3), formats=(WEIGHTS,)),
}
FILES: Mapping[str, tuple[SavedModel, str]] = {
    f"{name}{suffix}": (model, suffix) for name, model in MODELS.items() for suffix in model.formats
}


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model as it is after loading.

    Attributes:
        steps: Of its optimizer.
        moments: The optimizer's arrays.
        predictions: For the rows of the next step.
        following: Its weights after that step; None where it cannot be trained on.
        deviation: The largest deviation of a prediction where the loaded weights were perturbed by one ulp.
        step_deviation: The largest deviation of a weight after that step, likewise: optimizers that divide a gradient
            by its size make steps of what rounding leaves of a gradient that vanishes.
    """

    steps: int
    moments: Arrays
    predictions: Array
    following: Arrays | None
    deviation: float
    step_deviation: float


def save_models() -> dict[str, bytes]:
    """The files by name, the same at every call: of ``FILES``, those that the framework can write."""
    keras = load_target_keras()
    files = {}
    with quiet(), tempfile.TemporaryDirectory() as folder:
        for name, model in MODELS.items():
            made = model.build(keras)
            stream = np.random.RandomState(7)
            made.set_weights([stream.uniform(0.1, 1.1, one.shape).astype(one.dtype) for one in made.get_weights()])
            made.run_eagerly = True
            for step in range(model.steps):
                made.train_on_batch(*model.batch(step))
            for suffix in model.formats:
                path = Path(folder) / f"{name}{suffix}"
                try:
                    (made.save_weights if suffix == WEIGHTS else made.save)(str(path))
                except (TypeError, ValueError):  # a file that nobody can have from this version
                    continue
                if suffix == KERAS:
                    _make_timeless(path)
                files[path.name] = path.read_bytes()
    return files


def load_file(name: str, content: bytes) -> LoadedModel:
    """What the installed framework makes of a file.

    Args:
        name: One of ``FILES``.
        content: Of the file.

    Raises:
        Exception: Whatever the framework raises.
    """
    model, suffix = FILES[name]
    with quiet(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        loaded = _load(model, suffix, path)
        steps = int(np.asarray(loaded.optimizer.iterations))
        moments = tuple(np.asarray(one) for one in loaded.optimizer.variables if len(one.shape))
        x, y = model.batch(model.steps)
        predictions = as_array(loaded(x, training=False))
        other = _perturbed(_load(model, suffix, path))
        moved = as_array(other(x, training=False))
        following, after = (_stepped(one, x, y) for one in (loaded, other))
    step = 0.0 if following is None or after is None else deviation(following, after)
    return LoadedModel(steps, moments, predictions, following, float(np.abs(moved - predictions).max()), step)


def _perturbed(model: Any) -> Any:
    model.set_weights([perturbed(one, 1, 0) if one.dtype == np.float32 else one for one in model.get_weights()])
    return model


def _stepped(model: Any, x: Array, y: Array) -> Arrays | None:
    """The model's weights after one more step; None where it cannot make any."""
    try:
        model.run_eagerly = True
        model.train_on_batch(x, y)
    except (TypeError, ValueError):  # Keras 3.0 does not know its own variables again
        return None
    return tuple(model.get_weights())


def _load(model: SavedModel, suffix: str, path: Path) -> Any:
    keras = load_target_keras()
    if suffix != WEIGHTS:
        return keras.models.load_model(str(path))
    made = model.build(keras)
    made.load_weights(str(path))
    return made


def _make_timeless(path: Path) -> None:
    """Writes the archive anew, without what differs from call to call: dates, and addresses in memory as numbers."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(parts["metadata.json"])
    metadata["date_saved"] = "1980-01-01@00:00:00"
    parts["metadata.json"] = json.dumps(metadata).encode()
    config = parts["config.json"].decode()
    numbers = list(dict.fromkeys(_SHARED.findall(config)))
    parts["config.json"] = _SHARED.sub(lambda found: str(numbers.index(found[0])), config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
