"""What files, checkpoints and configurations keep of models, and the arguments of those who write and read them."""

from __future__ import annotations

import builtins
import contextlib
import copy
import inspect
import io
import json
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from initcheck.catalog.cases.formulas import FORMULAS
from initcheck.catalog.layers import LayerRequest
from initcheck.catalog.layers.traits.computing import FormulaCase
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
from initcheck.evidence.made_layers import made
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.backend_calls import as_tensor

_X = inputs([1, 2], [3, -4])


def _net(keras: Any, width: int = 2, start: float = 1.0) -> Any:
    """A model of two layers, whose weights are numbers in order."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.Dense(width)])
    return _numbered(model, start)


def _numbered(model: Any, start: float = 1.0) -> Any:
    """Each weight has numbers of its own."""
    weights = []
    for one in model.get_weights():
        weights.append(start + np.arange(one.size, dtype=one.dtype).reshape(one.shape))
        start += one.size
    model.set_weights(weights)
    return model


def overwritten_weights(keras: Any, folder: Path) -> Iterator[Seen]:
    """A file of weights that exists is overwritten, or with ``overwrite=False`` only where that is confirmed."""

    def load(path: str) -> Any:
        model = _net(keras, start=50.0)
        model.load_weights(path)
        return model

    return _overwritten(keras, keras.Model.save_weights, load, str(folder / "model.weights.h5"))


def overwritten_models(keras: Any, folder: Path) -> Iterator[Seen]:
    """A .keras file likewise."""
    return _overwritten(keras, keras.Model.save, keras.models.load_model, str(folder / "model.keras"))


def overwritten_h5_models(keras: Any, folder: Path) -> Iterator[Seen]:
    """An .h5 file likewise, with one question a file."""
    return _overwritten(keras, keras.Model.save, keras.models.load_model, str(folder / "model.h5"))


def _overwritten(keras: Any, save: Callable[..., None], load: Callable[[str], Any], path: str) -> Iterator[Seen]:
    first, second, third = (_net(keras, start=start) for start in (1.0, 2.0, 3.0))
    save(first, path)
    save(second, path)
    yield "weights, overwritten by default", values(second.get_weights()), values(load(path).get_weights())
    questions: list[str] = []
    for answer, kept in (("n", second), ("y", third)):

        def answering(text: str = "", answer: str = answer) -> str:
            questions.append(text)
            return answer

        with mock.patch.object(builtins, "input", answering), contextlib.redirect_stdout(io.StringIO()):
            save(third, path, overwrite=False)
        yield f"weights after the answer {answer}", values(kept.get_weights()), values(load(path).get_weights())
    yield "questions", 2, len(questions)


def arguments_of_load_model(keras: Any, folder: Path) -> Iterator[Seen]:
    """``custom_objects``, ``compile`` and ``safe_mode``, for both formats."""
    if not is_keras_3(keras):
        return

    class Derived(keras.layers.Dense):  # type: ignore[misc]
        pass

    model = _numbered(keras.Sequential([keras.Input((2,)), Derived(2, name="derived")]))
    model.compile(keras.optimizers.SGD(), keras.losses.MeanSquaredError())
    load = keras.models.load_model
    for suffix in (".keras", ".h5"):
        path = folder / f"model{suffix}"
        model.save(path)
        loaded = load(path, custom_objects={"Derived": Derived})
        yield (
            f"class and output by custom_objects, {suffix}",
            ["Derived", values(model(_X))],
            [*(type(loaded.layers[0]).__name__, values(loaded(_X)))],
        )
        with keras.utils.custom_object_scope({"Derived": Derived}):
            yield (
                f"compiled by default and by compile=False, {suffix}",
                [True, False],
                [*(load(path).compiled, load(path, compile=False).compiled)],
            )
        yield f"what an unknown class raises, {suffix}", True, bool(refusal(load, path))
    yield "what a file that is none raises", "ValueError", refusal(load, folder / "none.keras")


def lambdas_in_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """A lambda in a file is refused, unless ``safe_mode=False`` trusts it."""
    if not is_keras_3(keras):
        return
    model, load = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]), keras.models.load_model
    for suffix in (".keras", ".h5"):
        path = folder / f"model{suffix}"
        model.save(path)
        yield f"what a lambda raises, {suffix}", "ValueError", refusal(load, path)
        yield f"output of a trusted lambda, {suffix}", (_X + 1).tolist(), values(load(path, safe_mode=False)(_X))


@tensorflows("tf.train.Checkpoint")
def checkpoints(keras: Any, folder: Path) -> Iterator[Seen]:
    """``tf.train.Checkpoint`` holds a model's weights and its optimizer's state."""
    import tensorflow as tf

    def trained(steps: int) -> Any:
        model = _net(keras)
        model.compile(keras.optimizers.Adam(0.5), "mse")
        for _ in range(steps):
            model.train_on_batch(_X, _X)
        return model

    one, other = trained(2), trained(1)
    path = tf.train.Checkpoint(model=one, optimizer=one.optimizer).save(str(folder / "checkpoint"))
    tf.train.Checkpoint(model=other, optimizer=other.optimizer).restore(path)
    yield "weights", values(one.get_weights()), values(other.get_weights())
    yield "state of the optimizer", _state(one), _state(other)
    for model in (one, other):
        model.train_on_batch(_X, _X)
    yield "weights after another step", values(one.get_weights()), values(other.get_weights())


def _state(model: Any) -> list[Any]:
    variables = model.optimizer.variables
    return [values(one) for one in (variables() if callable(variables) else variables)]


def low_rank_layers(keras: Any, folder: Path) -> Iterator[Seen]:
    """Layers with low-rank additions compute the same after a file, and have their rank in the configuration."""
    if not hasattr(keras.layers.Dense, "enable_lora"):
        return
    ids = np.array([[0, 2], [1, 1]], np.int32)
    layers, x = keras.layers, keras.Input((2,))
    kinds: Mapping[str, tuple[Callable[..., Any], np.ndarray]] = {
        "a matrix": (lambda **lora: keras.Sequential([x, layers.Dense(3, name="low", **lora)]), _X),
        "an equation": (
            lambda **lora: keras.Sequential([x, layers.EinsumDense("ab,bc->ac", 3, name="low", **lora)]),
            _X,
        ),
        "a vocabulary": (
            lambda **lora: keras.Sequential(
                [keras.Input((2,), dtype="int32"), layers.Embedding(3, 4, name="low", **lora)]
            ),
            ids,
        ),
    }
    for words, (make, given) in kinds.items():
        model = _numbered(make(lora_rank=2))
        late = make()
        late.get_layer("low").enable_lora(2)
        expected = values(model(given))
        yield (
            f"weights of {words}, enabled late",
            [one.shape for one in model.get_weights()],
            [one.shape for one in late.get_weights()],
        )
        path, weights = folder / f"{words}.keras", folder / f"{words}.weights.h5"
        model.save(path)
        model.save_weights(weights)
        plain, other = make(), _numbered(make(lora_rank=2), 5.0)
        for way, one in (
            ("a plain layer", plain),
            ("one of that rank", other),
            ("itself", model),
            ("enabled late", late),
        ):
            one.load_weights(weights)
            yield f"{words}, weights read by {way}", expected, values(one(given))
        loaded = keras.models.load_model(path)
        yield f"{words}, read from .keras", expected, values(loaded(given))
        yield (
            f"{words}, rank in the configuration",
            [2, 2],
            [one.get_layer("low").get_config().get("lora_rank") for one in (late, loaded)],
        )
        yield f"{words}, trained weights", len(model.trainable_weights), len(loaded.trainable_weights)


def inputs_of_keras_2(keras: Any, _: Path) -> Iterator[Seen]:
    """The configuration of an input as Keras 2 wrote it."""
    for words, config, shape in (
        ("batch_input_shape", {"batch_input_shape": [None, 3], "dtype": "float32", "name": "x"}, (None, 3)),
        ("a fixed batch", {"batch_input_shape": [4, 3], "dtype": "int32", "sparse": False, "name": "x"}, (4, 3)),
    ):
        layer = keras.layers.InputLayer.from_config(dict(config))
        yield (
            f"shape, dtype and name of {words}",
            [shape, config["dtype"], "x"],
            [*(tuple(layer.output.shape), str(getattr(layer.output.dtype, "name", layer.output.dtype)), layer.name)],
        )
    network = {
        "name": "old",
        "layers": [
            {
                "class_name": keras.layers.InputLayer.__name__,
                "config": {"batch_input_shape": [None, 2], "dtype": "float32", "name": "x"},
            },
            {
                "class_name": keras.layers.Dense.__name__,
                "config": {"name": "d", "units": 2, "activation": "relu", "dtype": "float32"},
            },
        ],
    }
    model = _numbered(keras.Sequential.from_config(json.loads(json.dumps(network))))
    yield "output of a Sequential", np.maximum(_X @ [[1, 2], [3, 4]] + [5, 6], 0).tolist(), values(model(_X))


def registered_names(keras: Any, folder: Path) -> Iterator[Seen]:
    """Functions, layers and initializers of one name in two packages stay apart."""
    if not is_keras_3(keras):
        return
    register = keras.saving.register_keras_serializable

    def functions(package: str, summand: float) -> tuple[Any, Any, Any]:
        def shift(x: Any) -> Any:
            return x + summand

        register(package)(shift)

        @register(package)
        class Shift(keras.layers.Layer):  # type: ignore[misc]
            def call(self, x: Any) -> Any:
                return x + summand

        @register(package, "other")
        class Start(keras.initializers.Initializer):  # type: ignore[misc]
            def __call__(self, shape: Any, dtype: Any = None, **options: Any) -> Any:
                return keras.ops.full(shape, summand, dtype)

        return shift, Shift, Start

    one, two = functions("initcheck one", 1.0), functions("initcheck two", 2.0)
    layers = keras.layers
    model = keras.Sequential([keras.Input((2,))])
    for shift, kind, start in (one, two):
        starts = {"kernel_initializer": "ones", "bias_initializer": start()}
        dense = layers.EinsumDense("ab,b->ab", 2, bias_axes="b", activation=shift, **starts)
        for layer in (layers.Lambda(shift), layers.Activation(shift), kind(), dense):
            model.add(layer)
    expected = (_X + 15).tolist()
    model.save(folder / "model.keras")
    rebuilt = keras.Sequential.from_config(json.loads(json.dumps(model.get_config())))
    yield "output", expected, values(model(_X))
    yield "output, rebuilt", expected, values(rebuilt(_X))
    yield "output, loaded", expected, values(keras.models.load_model(folder / "model.keras")(_X))
    yield (
        "names",
        ["initcheck two>shift", "initcheck two>Shift", "initcheck two>other"],
        [keras.saving.get_registered_name(each) for each in two],
    )
    yield (
        "objects of these names",
        [True] * 3,
        [keras.saving.get_registered_object(keras.saving.get_registered_name(each)) is each for each in two],
    )


def _built(case: FormulaCase) -> Row:
    """The layer is built by the name of its shape, rebuilt by its build configuration, and shown in a summary."""

    def row(keras: Any, _: Path) -> Iterator[Seen]:
        if not hasattr(keras.layers, case.layer):
            return

        class Summarized(keras.Model):  # type: ignore[misc]
            def __init__(self, layer: Any) -> None:
                super().__init__()
                self.layer, self.built = layer, True

        layer = made(keras, LayerRequest(case.layer, case.config))
        first = next(iter(inspect.signature(layer.call).parameters))
        if is_keras_3(keras):
            layer.build(**{"sequences_shape" if first == "sequences" else "input_shape": case.input_shape})
        else:
            layer(np.zeros(case.input_shape, np.float32))
        again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
        again.build_from_config(json.loads(json.dumps(layer.get_build_config())))
        yield "shapes of its weights", sorted(case.shapes), sorted(tuple(one.shape) for one in layer.weights)
        yield "weights of the rebuilt layer", _named(layer), _named(again)
        lines: list[str] = []
        Summarized(layer).summary(print_fn=lambda line, **_: lines.append(line))
        yield "whether a summary has its name", True, layer.name[:6] in "".join(lines)

    return row


def _named(layer: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.name.rpartition("/")[2], tuple(one.shape)) for one in layer.weights]


@tensorflows("layers that learn bins")
def adapted_bins(keras: Any, folder: Path) -> Iterator[Seen]:
    """A Discretization that learned its bins comes back with them."""
    numbers = np.arange(9.0, dtype=np.float32).reshape(9, 1)
    layer = keras.layers.Discretization(num_bins=3)
    layer.adapt(numbers)
    expected = values(layer(numbers))
    yield "bins", [[0.0], [1.0], [2.0]], sorted(np.unique(expected, axis=0).tolist())
    again = type(layer).from_config(layer.get_config())
    keras.Sequential([keras.Input((1,)), layer]).save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras").layers[-1]
    yield "output, rebuilt and loaded", [expected] * 2, [values(again(numbers)), values(loaded(numbers))]


def adapted_layers(keras: Any, folder: Path) -> Iterator[Seen]:
    """What a layer learned of data comes back of its configuration or its file."""
    layers = keras.layers
    numbers = np.arange(9.0, dtype=np.float32).reshape(9, 1)
    words = np.array([["b a"], ["b c"], ["b a"]])
    kinds: tuple[tuple[Any, Mapping[str, Any], Any, np.ndarray, bool], ...] = (
        (layers.Discretization, {"bin_boundaries": [1.5, 4.0]}, None, numbers, True),
        (layers.Normalization, {}, numbers, numbers, False),
        (layers.Normalization, {"mean": [2.0], "variance": [4.0]}, None, numbers, True),
        (layers.CategoryEncoding, {"num_tokens": 4}, None, np.array([[1], [3]]), True),
    )
    of_words: tuple[tuple[Any, Mapping[str, Any], Any, np.ndarray, bool], ...] = (
        (layers.IntegerLookup, {}, np.array([[5], [7], [5]]), np.array([[7], [5], [1]]), False),
        (layers.StringLookup, {}, np.array([["b"], ["a"], ["b"]]), np.array([["a"], ["b"]]), False),
        (layers.StringLookup, {"vocabulary": ["z", "a"]}, None, np.array([["a"], ["z"]]), True),
        (layers.TextVectorization, {"output_sequence_length": 3}, words[:, 0], words, False),
        (layers.TextVectorization, {"vocabulary": ["b", "a"]}, None, words, True),
        (layers.Hashing, {"num_bins": 5, "salt": 3}, None, np.array([["a"], ["b"]]), True),
    )
    for kind, options, data, given, written in (*kinds, *(of_words if on_tensorflow() else ())):
        layer, name = kind(**options), f"{kind.__name__} with {len(options)} options"
        if data is not None:
            layer.adapt(data)
        expected = values(layer(given))
        if written:  # the configuration has it all
            yield f"output of a rebuilt {name}", expected, values(kind.from_config(layer.get_config())(given))
        text = given.dtype.kind == "U"
        model = keras.Sequential([keras.Input((1,), dtype="string" if text else given.dtype.name), layer])
        model.save(folder / f"{name}.keras")
        loaded = keras.models.load_model(folder / f"{name}.keras")
        yield f"output of a loaded {name}", expected, values(loaded.layers[-1](given))


def shared_initializers(keras: Any, _: Path) -> Iterator[Seen]:
    """One instance without a seed gives layers of one shape the same weights; two instances give different ones."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    makers: tuple[tuple[Callable[[Any], Any], tuple[int, ...]], ...] = (
        (lambda one: layers.Dense(3, kernel_initializer=one), (2, 6)),
        (lambda one: layers.EinsumDense("ab,bc->ac", 3, kernel_initializer=one), (2, 6)),
        (lambda one: layers.Embedding(5, 3, embeddings_initializer=one), (2, 6)),
        (lambda one: layers.Conv1D(3, 2, kernel_initializer=one), (2, 4, 6)),
        (lambda one: layers.LSTM(3, kernel_initializer=one, recurrent_initializer="zeros"), (2, 4, 6)),
    )
    for make, shape in makers:
        one = keras.initializers.GlorotUniform()
        name = type(make(one)).__name__
        first, second, other = make(one), make(one), make(keras.initializers.GlorotUniform())
        for layer in (first, second, other):
            layer.build(shape)
        yield f"weights of a second {name}", values(first.get_weights()), values(second.get_weights())
        yield (
            f"whether another instance gives a {name} the same",
            False,
            values(first.get_weights()) == values(other.get_weights()),
        )


def unfit_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """Weights of other shapes, or of more or fewer layers, are refused, and a file that is cut short too."""
    wide, longer = _net(keras, 4), keras.Sequential([keras.Input((2,)), *(keras.layers.Dense(3) for _ in range(3))])
    for suffix in (".weights.h5", ".h5") if is_keras_3(keras) else (".weights.h5",):
        path = str(folder / f"model{suffix}")
        one = _net(keras)
        (one.save_weights if "weights" in suffix else one.save)(path)
        for words, other in (("other shapes", wide), ("more layers", longer)):
            yield (
                f"what {words} raise, {suffix}",
                True,
                bool(refusal(other.load_weights, path)),
            )
    cut = folder / "model.keras"
    _net(keras).save(cut)
    cut.write_bytes(cut.read_bytes()[:-200])
    yield "what a file that is cut short raises", True, bool(refusal(keras.models.load_model, cut))
    yield (
        "what weights of another number raise",
        "ValueError",
        refusal(wide.set_weights, one.get_weights()[:-1]),
    )


def contents_of_keras_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """Configuration, weights and metadata lie in the archive; weights alone are read from it."""
    model = _net(keras)
    model.save(folder / "model.keras")
    with zipfile.ZipFile(folder / "model.keras") as archive:
        yield "names", ["config.json", "metadata.json", "model.weights.h5"], sorted(archive.namelist())
        metadata = json.loads(archive.read("metadata.json"))
        archive.extract("model.weights.h5", folder)
    yield "version", keras.__version__, metadata["keras_version"]
    other = _net(keras, start=9.0)
    other.load_weights(folder / "model.weights.h5")
    yield "weights of the file within", values(model.get_weights()), values(other.get_weights())
    text = model.to_json()
    again = keras.models.model_from_json(text)
    yield "layers of to_json", [one.name for one in model.layers], [one.name for one in again.layers]
    yield "a clone by to_json", json.loads(text), json.loads(again.to_json())


@tensorflows("layers that look words up")
def files_beside(keras: Any, folder: Path) -> Iterator[Seen]:
    """Whoever writes and reads a model leaves the other files of the folder as they are, and no further ones."""
    layers = keras.layers
    words = keras.Sequential([keras.Input((1,), dtype="string"), layers.StringLookup(vocabulary=["a", "b"])])
    models = {"model.keras": _net(keras), "words.keras": words, "m.weights.h5": _net(keras), "m.h5": _net(keras)}
    (folder / "assets").mkdir()
    beside = ("model.weights.h5", "config.json", "metadata.json", "assets/vocabulary.txt", "model.weights.npz")
    for name in beside:
        (folder / name).write_text("mine")
    for name, model in models.items():
        path = folder / name
        save, load = model.save, keras.models.load_model
        if "weights" in name:
            save, load = model.save_weights, model.load_weights
        for way, act in (("written", save), ("read", load), ("overwritten", save), ("read again", load)):
            act(str(path))
            yield f"contents of others, {name} {way}", *_contents(folder, path, beside)
        path.write_bytes(path.read_bytes()[:-200])
        yield f"whether what is cut short raises, {name}", True, bool(refusal(load, str(path)))
        yield f"contents of others, {name} cut short", *_contents(folder, path, beside)
        path.unlink()


def _contents(folder: Path, path: Path, beside: tuple[str, ...]) -> tuple[Any, Any]:
    """What the files of a folder should hold and do hold, but for the one at the path."""
    files = [one for one in folder.rglob("*") if one.is_file() and one != path]
    return dict.fromkeys(sorted(beside), "mine"), {
        str(one.relative_to(folder)): one.read_text(errors="replace")[:9] for one in sorted(files)
    }


def copies(keras: Any, _: Path) -> Iterator[Seen]:
    """A model that is copied or pickled computes the same, with weights of its own."""
    if not is_keras_3(keras):
        return
    model = _net(keras)
    expected = values(model(_X))
    for words, one in (("copied", copy.deepcopy(model)), ("pickled", pickle.loads(pickle.dumps(model)))):
        yield f"output, {words}", expected, values(one(_X))
        one.set_weights([0 * weight for weight in one.get_weights()])
        yield f"output of the original, {words}", expected, values(model(_X))


def state_trees(keras: Any, _: Path) -> Iterator[Seen]:
    """What ``get_state_tree`` gives can be set in another model: weights, optimizer and metrics."""
    if not hasattr(keras.Model, "get_state_tree"):
        return

    def trained(steps: int) -> Any:
        layers = [keras.layers.Dense(3, name="one"), keras.layers.Dense(2, name="two")]
        model = _numbered(keras.Sequential([keras.Input((2,)), *layers], name="named"))
        model.compile(keras.optimizers.SGD(2**-10, momentum=0.5, name="named"), "mse")
        for _step in range(steps):
            model.train_on_batch(_X, _X)
        return model

    one, other = trained(2), trained(1)
    tree = one.get_state_tree(value_format="numpy_array")
    other.set_state_tree(tree)
    yield (
        "parts",
        ["metrics_variables", "non_trainable_variables", "optimizer_variables", "trainable_variables"],
        sorted(tree),
    )
    yield "weights", values(one.get_weights()), values(other.get_weights())
    yield "state of the optimizer", _state(one), _state(other)


def folders(keras: Any, folder: Path) -> Iterator[Seen]:
    """A model in a folder in place of an archive."""
    if not is_keras_3(keras) or "zipped" not in inspect.signature(keras.Model.save).parameters:
        return
    model = _net(keras)
    model.save(folder / "model", zipped=False)
    parts = {one.name for one in (folder / "model").iterdir()}
    yield "whether it has its parts", True, {"config.json", "metadata.json", "model.weights.h5"} <= parts
    yield "output", values(model(_X)), values(keras.models.load_model(folder / "model")(_X))


@tensorflows("SavedModel")
def exported_models(keras: Any, folder: Path) -> Iterator[Seen]:
    """A model that is exported for serving computes the same for any batch, as in inference."""
    import tensorflow as tf

    if not is_keras_3(keras):
        return
    layers = keras.layers
    model = _numbered(keras.Sequential([keras.Input((2,)), layers.Dropout(0.5), layers.Dense(2)]))
    with contextlib.redirect_stdout(io.StringIO()):
        model.export(str(folder / "exported"))
    served = tf.saved_model.load(str(folder / "exported"))
    yield "output", values(model(_X)), values(served.serve(_X))
    yield "output of one row", values(model(_X[:1])), values(served.serve(_X[:1]))


def flags_of_layers(keras: Any, folder: Path) -> Iterator[Seen]:
    """Which layers are trained, and their dtypes, within models too, come back by every way."""
    if not is_keras_3(keras):
        return
    layers = keras.layers
    inner = keras.Sequential([keras.Input((2,)), layers.Dense(2, name="a"), layers.Dense(2, trainable=False, name="b")])
    model = keras.Sequential([keras.Input((2,)), inner, layers.Dense(2, dtype="mixed_bfloat16", name="c")])
    model.add(layers.Dense(2, trainable=False, dtype="float64", name="d"))
    inner.layers[0].trainable = False
    model.save(folder / "model.keras")
    model.save(folder / "model.h5")
    ways = {
        "rebuilt": type(model).from_config(json.loads(json.dumps(model.get_config()))),
        "cloned": keras.models.clone_model(model),
        ".keras": keras.models.load_model(folder / "model.keras"),
        ".h5": keras.models.load_model(folder / "model.h5", compile=False),
    }
    expected = [
        ("a", False, "float32"),
        ("b", False, "float32"),
        ("c", True, "mixed_bfloat16"),
        ("d", False, "float64"),
    ]
    for words, one in {"": model, **ways}.items():
        yield (
            f"name, trained, policy, {words}",
            expected,
            [(layer.name, layer.trainable, layer.dtype_policy.name) for layer in _leaves(one)],
        )


def _leaves(model: Any) -> list[Any]:
    return [leaf for layer in model.layers for leaf in (_leaves(layer) if hasattr(layer, "layers") else [layer])]


def compiled_functions(keras: Any, folder: Path) -> Iterator[Seen]:
    """A user's loss, metric and schedule, functions and classes, come back compiled from a file."""
    if not is_keras_3(keras):
        return
    thrice, largest, halving = _own_functions(keras)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(halving()), thrice, metrics=[largest(2.0, name="largest"), thrice])
    model.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras")
    error = 1.5 * float(np.sum((_X.sum(1, keepdims=True) - _X) ** 2)) / 2
    expected = {"largest": 6.0, "loss": error, "thrice": error}
    for words, each in (("compiled", model), ("loaded", loaded)):
        yield f"results, {words}", expected, each.evaluate(pipeline(_X, _X), verbose=0, return_dict=True)
    for each in (model, loaded):
        each.train_on_batch(as_tensor(_X), as_tensor(_X))
    yield "learning rate", [0.25, 0.25], [float(np.asarray(each.optimizer.learning_rate)) for each in (model, loaded)]
    yield "weights after a step", values(model.get_weights()), values(loaded.get_weights())


def _own_functions(keras: Any) -> tuple[Any, ...]:
    """A loss, the class of a metric and that of a schedule, all registered."""

    def thrice(y_true: Any, y_pred: Any) -> Any:
        return 3 * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    class Maximal(keras.metrics.Metric):  # type: ignore[misc]
        def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor, self.largest = factor, self.add_variable((), "zeros", name="largest")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.largest.assign(keras.ops.maximum(self.largest, keras.ops.max(y_pred)))

        def result(self) -> Any:
            return self.largest * self.factor

        def get_config(self) -> Any:
            return {**super().get_config(), "factor": self.factor}

    class Halving(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            return 0.5 ** (keras.ops.cast(step, "float32") + 1)

        def get_config(self) -> Any:
            return {}

    register = keras.saving.register_keras_serializable("initcheck")
    return register(thrice), register(Maximal), register(Halving)


KEPT: Mapping[str, Row] = table(
    overwritten_weights,
    overwritten_models,
    overwritten_h5_models,
    arguments_of_load_model,
    lambdas_in_files,
    adapted_bins,
    checkpoints,
    low_rank_layers,
    inputs_of_keras_2,
    registered_names,
    adapted_layers,
    shared_initializers,
    unfit_files,
    contents_of_keras_files,
    files_beside,
    copies,
    state_trees,
    folders,
    exported_models,
    flags_of_layers,
    compiled_functions,
)
# One layer each that has weights, and a single input.
BUILT: Mapping[str, Row] = {case.layer: _built(case) for case in reversed(FORMULAS) if case.shapes and not case.beside}
