"""Parts of models that are copied, skipped, refused or written by themselves."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import (
    Row,
    Seen,
    inputs,
    is_keras_3,
    on_tensorflow,
    refusal,
    table,
    tensorflows,
    values,
)
from initcheck.evidence.fresh_process.client import ask
from initcheck.evidence.fresh_process.questions import backup_question, files_question, held
from initcheck.evidence.steps.backed_up_trainings import backed_up_training, interrupted_training
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.floatx import dtype_policy

_X = inputs([1, 2], [3, -4])


def _dense(keras: Any, units: int = 2, start: float = 1.0, **options: Any) -> Any:
    """A layer whose kernel is of one number, and whose bias of another."""
    starts = {"kernel_initializer": keras.initializers.Constant(start), "bias_initializer": "ones"}
    return keras.layers.Dense(units, **starts, **options)


_AGAIN: Mapping[str, Callable[[Any], Any]] = {
    "copied": copy.deepcopy,
    "pickled": lambda one: pickle.loads(pickle.dumps(one)),
}


def copies_of_parts(keras: Any, _: Path) -> Iterator[Seen]:
    """Layers and optimizers are copied and pickled, and models as they were compiled."""
    if not is_keras_3(keras):
        return
    layer = _dense(keras, 3, 2.0, name="layer")
    expected = values(layer(_X))
    model = keras.Sequential([keras.Input((2,)), _dense(keras)])
    model.compile(keras.optimizers.SGD(2**-6, momentum=0.5), "mse", metrics=["mae"], run_eagerly=True)
    model.train_on_batch(_X, _X)
    for words, again in _AGAIN.items():
        one = again(layer)
        yield f"output and name of one that is {words}", [expected, "layer"], [values(one(_X)), one.name]
        one.set_weights([0 * weight for weight in one.get_weights()])
        yield f"output of the layer that was {words}", expected, values(layer(_X))
        yield (
            f"options of a {words} optimizer",
            model.optimizer.get_config(),
            again(model.optimizer).get_config(),
        )
        other = again(model)
        yield f"whether a {words} model is compiled", True, other.compiled
        if other.compiled:
            yield (
                f"evaluation of a {words} model",
                *(each.evaluate(pipeline(_X, _X), verbose=0, return_dict=True) for each in (model, other)),
            )
            for each in (model, other):
                each.train_on_batch(_X, _X)
            yield f"weights of a {words} model after a step", values(model.get_weights()), values(other.get_weights())


def copies_of_losses_and_metrics(keras: Any, _: Path) -> Iterator[Seen]:
    """Losses and metrics are copied and pickled with their options."""
    if not is_keras_3(keras):
        return
    loss, metric = keras.losses.BinaryCrossentropy(label_smoothing=0.25), keras.metrics.Precision(thresholds=0.25)
    metric.update_state(inputs(1, 0), inputs(0.5, 0.75))
    for words, again in _AGAIN.items():
        for one in (loss, metric):
            other = again(one)
            name = type(one).__name__
            yield (
                f"options of a {name} that is {words}",
                [name, one.get_config()],
                [type(other).__name__, other.get_config()],
            )
        other = again(metric)
        other.reset_state()
        other.update_state(inputs(1, 1), inputs(0.5, 0.75))
        yield (
            f"shares of a metric and one that is {words}",
            [0.5, 1.0],
            [float(one.result()) for one in (metric, other)],
        )


def skipped_objects(keras: Any, folder: Path) -> Iterator[Seen]:
    """Layers that ``objects_to_skip`` names are neither written nor read."""
    if not hasattr(getattr(keras, "saving", None), "save_weights"):
        return

    def net(start: float) -> Any:
        return keras.Sequential([keras.Input((2,)), _dense(keras, 2, start), _dense(keras, 2, start)])

    one, other, third, path = net(3.0), net(5.0), net(7.0), str(folder / "model.weights.h5")
    keras.saving.save_weights(one, path)
    keras.saving.load_weights(other, path, objects_to_skip=[other.layers[0]])
    yield "read but for the first", [[5.0] * 2] * 2, values(other.layers[0].kernel)
    yield "read", [[3.0] * 2] * 2, values(other.layers[1].kernel)
    keras.saving.save_weights(one, path, objects_to_skip=[one.layers[1]])
    keras.saving.load_weights(third, path, objects_to_skip=[third.layers[1]])
    yield "written but for the second", [[3.0] * 2] * 2, values(third.layers[0].kernel)
    yield "what reading all of it raises", True, bool(refusal(keras.saving.load_weights, net(1.0), path))


def attributes_added_later(keras: Any, folder: Path) -> Iterator[Seen]:
    """A layer that has a second name in a later class finds its weights under the first one, and so do its parts."""
    if not is_keras_3(keras):
        return

    class Block(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, start: float) -> None:
            super().__init__()
            self.inner = _dense(keras, 2, start)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    class Earlier(keras.Model):  # type: ignore[misc]
        def __init__(self, start: float) -> None:
            super().__init__()
            self.block, self.last = Block(start), _dense(keras, 2, start)

        def call(self, inputs: Any) -> Any:
            return self.last(self.block(inputs))

    class Later(Earlier):
        def __init__(self, start: float) -> None:
            super().__init__(start)
            self.another, self.aside = self.block, self.last

    one, other, path = Earlier(3.0), Later(5.0), str(folder / "model.weights.h5")
    expected = values(one(_X))
    other(_X)
    one.save_weights(path)
    other.load_weights(path)
    yield "output", expected, values(other(_X))


@tensorflows("layers that look words up")
def folders_of_words(keras: Any, folder: Path) -> Iterator[Seen]:
    """A vocabulary lies in a model's folder, too."""
    if not is_keras_3(keras) or "zipped" not in inspect.signature(keras.Model.save).parameters:
        return
    layer = keras.layers.StringLookup()
    layer.adapt(np.array([["b"], ["a"], ["b"]]))
    model = keras.Sequential([keras.Input((1,), dtype="string"), layer])
    model.save(folder / "model", zipped=False)
    loaded = keras.models.load_model(folder / "model")
    words = np.array([["a"], ["b"], ["c"]])
    yield "output", values(layer(words)), values(loaded.layers[-1](words))


def functions_of_old_files(keras: Any, _: Path) -> Iterator[Seen]:
    """Keras up to 3.6 wrote the name of a registered function without its package."""
    if not is_keras_3(keras):
        return

    def shift_of_old_files(x: Any) -> Any:
        return x + 2

    shift_of_old_files = keras.saving.register_keras_serializable("initcheck old files")(shift_of_old_files)
    config = keras.layers.Activation(shift_of_old_files).get_config()
    config["activation"] = {
        "module": "builtins",
        "class_name": "function",
        "config": "shift_of_old_files",
        "registered_name": "function",
    }
    yield "output", (_X + 2).tolist(), values(keras.layers.Activation.from_config(config)(_X))


def refused_configurations(keras: Any, _: Path) -> Iterator[Seen]:
    """What is neither a part of a model nor registered is not made of a configuration."""
    if not is_keras_3(keras):
        return

    def function(module: str, name: str) -> dict[str, Any]:
        return {"module": module, "class_name": "function", "config": name, "registered_name": name}

    def kind(module: str, name: str, **config: Any) -> dict[str, Any]:
        return {"module": module, "class_name": name, "config": config, "registered_name": None}

    asked = {
        "a function of Python": function("builtins", "eval"),
        "a function of a module": function("os", "system"),
        "a function of this module": function(__name__, "plain_objects"),
        "a function that reads files": function("keras.saving", "load_model"),
        "a function that fetches files": function("keras.utils", "get_file"),
        "a class of Python": kind("builtins", "dict"),
        "a class of a module": kind("subprocess", "Popen", args=["true"]),
        "a class that does not exist": kind("keras.layers", "NoSuchLayer"),
        "a function of Keras by its file": kind("keras.src.utils.file_utils", "get_file"),
        "a class of Keras that is no part": kind("keras.src.utils.progbar", "Progbar", target=3),
    }
    for words, config in asked.items():
        yield f"whether {words} is refused", True, bool(refusal(keras.saving.deserialize_keras_object, config))
    part = keras.saving.deserialize_keras_object(kind("keras.layers", keras.layers.Dense.__name__, units=3))
    yield "a part", [keras.layers.Dense, 3], [type(part), part.units]


def names_of_other_parts(keras: Any, _: Path) -> Iterator[Seen]:
    """A part of Keras that a configuration calls by a registered name is refused, unless that is its own."""
    if not is_keras_3(keras):
        return
    config = keras.saving.serialize_keras_object(keras.layers.Dense(3))
    yield "without a name", 3, keras.saving.deserialize_keras_object(config).units
    other = {**config, "registered_name": "other>Part"}
    yield "what a name raises", "ValueError", refusal(keras.saving.deserialize_keras_object, other)


def links_in_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """Weights that a file says lie in another file are refused."""
    import h5py  # type: ignore[import-untyped]

    if not is_keras_3(keras):
        return
    model = keras.Sequential([keras.Input((2,)), _dense(keras, name="one")])
    for suffix, group in ((".weights.h5", "layers/dense/vars"), (".h5", "model_weights/one")):
        path, beside = folder / f"model{suffix}", folder / f"beside{suffix}"
        for each in (path, beside):
            (model.save_weights if "weights" in suffix else model.save)(each)
        model.load_weights(path)
        with h5py.File(path, "a") as file:
            del file[group]
            file[group] = h5py.ExternalLink(str(beside), group)
        yield f"whether a link is refused, {suffix}", True, bool(refusal(model.load_weights, str(path)))
    linked = _archive_of(model, folder / "model.weights.h5")
    yield "whether a link is refused, .keras", True, bool(refusal(keras.models.load_model, linked))


def _archive_of(model: Any, weights: Path) -> Path:
    """A .keras file of the model whose weights are those of another file."""
    archive, changed = (weights.with_name(name) for name in ("model.keras", "linked.keras"))
    model.save(archive)
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            if name.endswith(".h5"):
                target.write(weights, name)
            else:
                target.writestr(name, source.read(name))
    return changed


def arrays_elsewhere(keras: Any, folder: Path) -> Iterator[Seen]:
    """And so is a single array that lies in another place: linked within the file or beyond, or stored beside it."""
    import h5py

    if not is_keras_3(keras):
        return
    model = keras.Sequential([keras.Input((2,)), _dense(keras, name="one")])
    (folder / "numbers").write_bytes(np.ones(4, np.float32).tobytes())
    stored: Mapping[str, Callable[[Any, str], Any]] = {
        "linked within": lambda file, name: file.__setitem__(name, h5py.SoftLink("/elsewhere")),
        "linked beyond": lambda file, name: file.__setitem__(
            name, h5py.ExternalLink(str(folder / "beside.h5"), "elsewhere")
        ),
        "stored beside": lambda file, name: file.create_dataset(
            name, (2, 2), "float32", external=[(str(folder / "numbers"), 0, 16)]
        ),
        "composed of others": lambda file, name: file.create_virtual_dataset(name, _composed(folder / "beside.h5")),
    }
    with h5py.File(folder / "beside.h5", "w") as file:
        file["elsewhere"] = np.ones((2, 2), np.float32)
    for suffix in (".weights.h5", ".h5"):
        for words, store in stored.items():
            path = folder / f"model{suffix}"
            (model.save_weights if "weights" in suffix else model.save)(path)
            with h5py.File(path, "a") as file:
                [kernel] = [name for name in _names_within(file) if getattr(file[name], "shape", ()) == (2, 2)]
                del file[kernel]
                file["elsewhere"] = np.ones((2, 2), np.float32)
                store(file, kernel)
                seen = values(file[kernel][()])
            yield f"the array that is {words}, {suffix}", np.ones((2, 2)).tolist(), seen
            yield f"whether it is refused, {words}, {suffix}", True, bool(refusal(model.load_weights, str(path)))
            if "weights" in suffix:
                linked = _archive_of(model, path)
                yield f"whether it is refused, {words}, .keras", True, bool(refusal(keras.models.load_model, linked))


def _composed(file: Path) -> Any:
    """A layout of an array that is that of another file."""
    import h5py

    layout = h5py.VirtualLayout((2, 2), "float32")
    layout[:] = h5py.VirtualSource(file, "elsewhere", (2, 2))
    return layout


def _names_within(file: Any) -> list[str]:
    """The groups and arrays of an .h5 file."""
    names: list[str] = []
    file.visit(names.append)
    return names


def optimizers_left_out(keras: Any, folder: Path) -> Iterator[Seen]:
    """An .h5 file has no optimizer if it is written without; what it has is compiled."""
    if not is_keras_3(keras):
        return
    model = keras.Sequential([keras.Input((2,)), keras.layers.Normalization(), _dense(keras)])
    model.layers[0].adapt(_X)
    model.compile(keras.optimizers.SGD(0.25), keras.losses.MeanSquaredError(), run_eagerly=True)
    model.train_on_batch(_X, _X)
    for included in (True, False):
        path = folder / f"{included}.h5"
        model.save(path, include_optimizer=included)
        loaded = keras.models.load_model(path)
        yield f"whether it is compiled, {included}", included, bool(loaded.compiled)
        yield f"output, {included}", values(model(_X)), values(loaded(_X))


def shared_layers(keras: Any, folder: Path) -> Iterator[Seen]:
    """A layer that is one of a model's, and within a wrapper too, is one layer when it is read from a file."""
    layers, given = keras.layers, np.arange(6.0, dtype=np.float32).reshape(1, 3, 2)
    one, two, x = _dense(keras, 2, 2.0), _dense(keras, 2, 3.0), keras.Input((3, 2))
    makers: Mapping[str, Any] = {
        "model": keras.Model(x, layers.TimeDistributed(one)(one(x))),
        "Sequential": keras.Sequential([keras.Input((3, 2)), two, layers.TimeDistributed(two)]),
    }
    return _read_again(keras, folder, makers, given)


def layers_of_two_models(keras: Any, folder: Path) -> Iterator[Seen]:
    """And so is one that two models within a model share."""
    one, two, x = _dense(keras, 2, 2.0), _dense(keras, 2, 3.0), keras.Input((2,))
    parts = [keras.Model(y, one(y), name=name) for name in ("p", "q") for y in [keras.Input((2,))]]
    stacks = [keras.Sequential([keras.Input((2,)), two], name=name) for name in ("r", "s")]
    makers: Mapping[str, Any] = {
        "model": keras.Model(x, parts[1](parts[0](x))),
        "Sequential": keras.Sequential([keras.Input((2,)), *stacks]),
    }
    return _read_again(keras, folder, makers, _X)


def _read_again(keras: Any, folder: Path, models: Mapping[str, Any], given: np.ndarray) -> Iterator[Seen]:
    for words, model in models.items():
        model.save(folder / f"{words}.keras")
        loaded = keras.models.load_model(folder / f"{words}.keras")
        yield f"weights of a {words}", [2, 2], [len(model.weights), len(loaded.weights)]
        yield f"output of a {words}", values(model(given)), values(loaded(given))


_RESUMED = ("epochs", "digest")


def files_in_another_process(keras: Any, folder: Path) -> Iterator[Seen]:
    """A process that shares nothing with the one that wrote a file reads the same model, and resumes its training."""
    if not is_keras_3(keras):
        return
    layers, ops, inner = keras.layers, keras.ops, keras.Input((3,))
    with dtype_policy(keras, "mixed_bfloat16"):
        parts = [layers.Dense(4, "gelu"), layers.LayerNormalization(), layers.Dropout(0.5, seed=3)]
        stacked = keras.Sequential([keras.Input((2,)), *parts, layers.Dense(3, dtype="float32", trainable=False)])
    shared, x = layers.Dense(3, "tanh", kernel_regularizer="l2"), keras.Input((2,))
    y = keras.Model(inner, shared(shared(inner)))(layers.Dense(3, activation="leaky_relu")(x))
    graph = keras.Model(x, ops.concatenate([ops.clip(y, -1.0, 0.5), 2.0 * y, ops.silu(y)], -1))
    for model in (stacked, graph):
        model.compile(keras.optimizers.Adam(0.25), keras.losses.MeanSquaredError(), run_eagerly=True)
        model.train_on_batch(_X, as_array(model(_X)) * 0)
        model.compile(model.optimizer, keras.losses.MeanSquaredError())
    plain = keras.Sequential([keras.Input((2,)), layers.Dense(3, "selu", dtype="mixed_float16"), layers.Dense(2)])
    written = {"stacked.keras": stacked, "graph.keras": graph, "plain.h5": plain}
    for name, model in written.items():
        model.save(folder / name)
    interrupted_training(keras, folder / "backup")
    shutil.copytree(folder / "backup", folder / "copy")
    both = ask([files_question(folder, [*written], _X), backup_question(folder / "backup")])
    answers, resumed = both["files"], both["backup"]
    yield "what was raised", ["", ""], [one.get("raised", "") for one in (answers, resumed)]
    here = backed_up_training(keras, folder / "copy")  # ARI38 says whether it is right
    yield "epochs of a resumed training, and a digest of what it leaves", [*here], [resumed.get(k) for k in _RESUMED]
    for name, model in written.items():
        yield f"digest of output, weights and state, {name}", held(model, _X), answers.get(name)


def plain_objects(keras: Any, _: Path) -> Iterator[Seen]:
    """Bytes, slices, ellipses, shapes, numbers and arrays of NumPy come back of JSON."""
    if not is_keras_3(keras):
        return
    write, read = keras.saving.serialize_keras_object, keras.saving.deserialize_keras_object

    def trip(one: Any) -> Any:
        return read(json.loads(json.dumps(write(one))))

    plain = {"bytes": b"ab", "a slice": slice(1, None, 2), "an ellipsis": ..., "text": "a", "none": None}
    for words, one in {**plain, "nested": {"a": [1, {"b": (2.5, True)}], "z": "text"}}.items():
        expected = {"a": [1, {"b": [2.5, True]}], "z": "text"} if words == "nested" else one
        yield words, expected, trip(one)
    yield "a number of NumPy", [2.5, 3, True], trip([np.float32(2.5), np.int64(3), np.bool_(True)])
    if on_tensorflow():
        import tensorflow as tf

        yield "a shape", [None, 3], trip(tf.TensorShape([None, 3]))
        yield "a dtype", "float16", trip(tf.float16)
    array = trip(np.array([[1, 2], [3, 4]], "int16"))
    yield "an array", ["int16", [[1, 2], [3, 4]]], [as_array(array).dtype.name, values(array)]
    tensor = trip(keras.ops.convert_to_tensor(inputs(1.5, 2)))
    yield "a tensor", ["float32", [1.5, 2.0]], [as_array(tensor).dtype.name, values(tensor)]
    yield "functions", [keras.activations.relu, keras.ops.add], [trip(keras.activations.relu), keras.ops.add]
    layer = trip({"layer": keras.layers.Dense(3, name="named")})["layer"]
    yield "a layer", [keras.layers.Dense, "named", 3], [type(layer), layer.name, layer.units]


def edited_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """``KerasFileEditor`` renames, adds and deletes what lies in a file of weights."""
    if not hasattr(getattr(keras, "saving", None), "KerasFileEditor"):
        return

    def net(*names: str) -> Any:
        return keras.Sequential([keras.Input((2,)), *(_dense(keras, name=name) for name in names)])

    source = net("one", "two")
    source.set_weights([np.full(weight.shape, k + 2.0) for k, weight in enumerate(source.get_weights())])
    source.save_weights(folder / "source.weights.h5")
    with contextlib.redirect_stdout(io.StringIO()):
        editor = keras.saving.KerasFileEditor(str(folder / "source.weights.h5"))
        yield "whether it lists them", True, "layers" in str(editor.weights_dict)
        editor.rename_object("layers/dense_1", new_name="dense_2")
        editor.add_object("layers/dense_1", weights={"0": np.full((2, 2), 9.0), "1": np.full((2,), 8.0)})
        editor.resave_weights(str(folder / "target.weights.h5"))
        three = net("one", "new", "two")
        three.load_weights(folder / "target.weights.h5")
        yield (
            "weights with one added",
            [2.0, 3.0, 9.0, 8.0, 4.0, 5.0],
            [float(np.ravel(w)[0]) for w in three.get_weights()],
        )
        again = keras.saving.KerasFileEditor(str(folder / "target.weights.h5"))
        again.delete_object("layers/dense_1")
        again.rename_object("layers/dense_2", new_name="dense_1")
        again.resave_weights(str(folder / "back.weights.h5"))
    back = net("one", "two")
    back.load_weights(folder / "back.weights.h5")
    yield "weights back", values(source.get_weights()), values(back.get_weights())


def single_numbers(keras: Any, folder: Path) -> Iterator[Seen]:
    """Weights without axes, names too long for one attribute, and averages of weights come back from files."""
    if not is_keras_3(keras):
        return

    class Factor(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

        def call(self, inputs: Any) -> Any:
            return inputs * self.factor

    source = keras.Input((1,))
    model = keras.Model(source, Factor()(source))
    model.set_weights([np.float32(2.5)])
    for ending in (".keras", ".h5"):
        model.save(folder / f"factor{ending}")
        again = keras.models.load_model(folder / f"factor{ending}", custom_objects={"Factor": Factor})
        yield f"weights of {ending}", [2.5], values(again.get_weights())
    output = source
    for number in range(30):
        output = keras.layers.Dense(1, use_bias=False, name=f"n{number}-" + "x" * 9000)(output)
    deep = keras.Model(source, output)
    deep.set_weights([np.full((1, 1), float(number)) for number in range(30)])
    deep.save(folder / "deep.h5")
    again = keras.models.load_model(folder / "deep.h5")
    yield "weights of long names", values(deep.get_weights()), values(again.get_weights())
    model = keras.Sequential([source, keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5), "mse")
    model.fit(pipeline(inputs([1]), inputs([3])), epochs=2, shuffle=False, verbose=0)
    model.save(folder / "averaged.keras")
    again = keras.models.load_model(folder / "averaged.keras")
    before, after = ([values(one) for one in each.optimizer.variables] for each in (model, again))
    yield "state of an optimizer that averages", before, after


def read_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """Arrays keep their dtype in a configuration."""
    if not is_keras_3(keras):
        return
    for array in (np.array([1, 2**30 + 1]), np.array([0.1], np.float64), np.array([True])):
        config = keras.saving.serialize_keras_object({"a": array})
        again = keras.saving.deserialize_keras_object(config)["a"]
        yield (
            f"array of {array.dtype}",
            (array.tolist(), str(array.dtype)),
            (values(again), str(np.asarray(again).dtype)),
        )


RESTORED: Mapping[str, Row] = table(
    copies_of_parts,
    copies_of_losses_and_metrics,
    skipped_objects,
    attributes_added_later,
    folders_of_words,
    functions_of_old_files,
    refused_configurations,
    names_of_other_parts,
    links_in_files,
    arrays_elsewhere,
    optimizers_left_out,
    shared_layers,
    layers_of_two_models,
    files_in_another_process,
    plain_objects,
    edited_files,
    single_numbers,
    read_numbers,
)
