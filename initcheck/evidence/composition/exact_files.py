"""What files hold exactly: numbers of every dtype, parts that fit and parts that do not, sizes, names and trust."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, refusal, table, values
from initcheck.frameworks.backends import has_doubles
from initcheck.targets import target

_X = inputs([1, 2], [3, -4])
# Numbers that no narrower dtype has, as they are when they are read in double precision.
_NUMBERS: Mapping[str, list[float]] = {
    "float16": [1 + 2.0**-10, 2.0**-24, -65504.0],
    "bfloat16": [1 + 2.0**-7, 2.0**-100, -(2.0**100)],
    "float32": [1 + 2.0**-23, 2.0**-120, -(2.0**100)],
    "float64": [1 + 2.0**-52, 2.0**-1000, -(2.0**1000)],
    "int8": [127, -128, 1],
    "uint8": [255, 128, 1],
    "int32": [2**31 - 1, -(2**31), 1],
    "int64": [2**53, -(2**52) - 1, 1],
    "bool": [True, False, True],
}


def numbers_in_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """Weights of every dtype are read as they were written, from every format."""
    return _read_numbers(keras, folder, (".weights.h5", ".keras", ".weights.json"), [*_NUMBERS])


def numbers_in_h5_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """From an .h5 file, too, but for bfloat16."""
    return _read_numbers(keras, folder, (".h5",), [name for name in _NUMBERS if name != "bfloat16"])


def _read_numbers(keras: Any, folder: Path, suffixes: tuple[str, ...], dtypes: list[str]) -> Iterator[Seen]:
    if not is_keras_3(keras):
        return
    # JAX makes 32 bits of 64 unless asked.
    dtypes = [dtype for dtype in dtypes if has_doubles(target()) or not dtype.endswith("64")]

    class Numbers(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            for dtype in dtypes:
                trained = "float" in dtype
                self.add_weight(shape=(3,), dtype=dtype, initializer="zeros", trainable=trained, name=dtype)

        def call(self, x: Any) -> Any:
            return x

    def made() -> Any:
        return keras.Sequential([keras.Input((2,)), Numbers()])

    one = made()
    for weight in one.weights:
        weight.assign(np.array(_NUMBERS[weight.name]).astype(np.asarray(weight).dtype))
    expected = {name: (name, _NUMBERS[name]) for name in dtypes}
    for suffix in suffixes:
        path, other = folder / f"model{suffix}", made()
        if suffix == ".weights.json" and "max_shard_size" not in inspect.signature(one.save_weights).parameters:
            continue
        options = {"max_shard_size": 1.0} if "json" in suffix else {}
        (one.save_weights if "weights" in suffix else one.save)(path, **options)
        if "weights" in suffix:
            other.load_weights(path)
        else:
            with keras.utils.custom_object_scope({"Numbers": Numbers}):
                other = keras.models.load_model(path)
        seen = {one.name: (one.dtype, np.asarray(one).astype(float).tolist()) for one in other.weights}
        yield f"dtypes and numbers, {suffix}", expected, seen


def surplus_in_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """A layer that has fewer weights than the file has for it, or more, refuses them all."""
    if not is_keras_3(keras):
        return

    def net(**options: Any) -> Any:
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, **options)])

    plain, full = net(use_bias=False), net()
    for suffix in (".weights.h5", ".keras", ".h5"):
        for words, giver, taker in (("fewer", full, plain), ("more", plain, full)):
            path = str(folder / f"{words}{suffix}")
            (giver.save_weights if "weights" in suffix else giver.save)(path)
            yield f"what {words} weights raise, {suffix}", "ValueError", refusal(taker.load_weights, path)
    kinds = (keras.layers.BatchNormalization(**options) for options in ({}, {"center": False, "scale": False}))
    narrow, normal = (keras.Sequential([keras.Input((2,)), kind]) for kind in kinds)
    narrow.save_weights(folder / "narrow.weights.h5")
    yield (
        "what weights that are not trained raise",
        "ValueError",
        refusal(normal.load_weights, folder / "narrow.weights.h5"),
    )


def skipped_parts(keras: Any, folder: Path) -> Iterator[Seen]:
    """``skip_mismatch`` keeps the weights that do not fit, says of which layers, and reads those of layers within."""
    if not is_keras_3(keras):
        return

    class Nesting(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, size: int, start: float) -> None:
            super().__init__(name="nesting")
            self.size, self.start = size, start
            self.inner = keras.layers.Dense(2, kernel_initializer=keras.initializers.Constant(start), name="inner")

        def build(self, input_shape: Any) -> None:
            own = keras.initializers.Constant(self.start)
            self.own = self.add_weight(shape=(self.size,), initializer=own, name="own")
            self.inner.build(input_shape)

        def call(self, x: Any) -> Any:
            return self.inner(x)

    def net(size: int, start: float) -> Any:
        last = keras.layers.Dense(size, kernel_initializer=keras.initializers.Constant(start), name="last")
        return keras.Sequential([keras.Input((2,)), Nesting(size, start), last])

    one, other, path = net(3, 3.0), net(4, 4.0), folder / "model.weights.h5"
    one.save_weights(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        other.load_weights(path, skip_mismatch=True)
    first, last = other.layers
    numbers = [float(np.ravel(weight)[0]) for weight in (first.own, first.inner.kernel, last.kernel)]
    yield "own weight, that of a layer within, one of another shape", [4.0, 3.0, 4.0], numbers
    texts = [str(one.message) for one in caught]
    yield (
        "layers that are warned of",
        [1, 1],
        [sum("A total of 2 objects" in text and name in text for text in texts) for name in ("nesting", "last")],
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        one.load_weights(path, skip_mismatch=True)
    yield "warnings where all fits", [], [str(one.message) for one in caught if "load" in str(one.message)]
    yield "what is raised without skip_mismatch", "ValueError", refusal(other.load_weights, path)


def sizes_of_shards(keras: Any, folder: Path) -> Iterator[Seen]:
    """No file has more bytes of weights than ``max_shard_size``, and none is begun before it would."""
    import h5py  # type: ignore[import-untyped]

    if "max_shard_size" not in inspect.signature(keras.Model.save_weights).parameters:
        return
    for words, sizes, limit, expected in (
        ("one layer a file", [4] * 6, 24, [[4]] * 6),
        ("two layers a file", [4] * 5, 32, [[4, 4], [4, 4], [4]]),
        ("layers of other sizes", [2, 4, 6, 2, 2], 36, [[2, 4], [6, 2], [2]]),
        ("all in one file", [4] * 3, 100, [[4, 4, 4]]),
    ):
        one, other = (_vectors(keras, sizes, start) for start in (1.0, 9.0))
        path = folder / words.replace(" ", "-") / "model.weights.json"
        path.parent.mkdir()
        one.save_weights(path, max_shard_size=limit / 1024**3)
        files = []
        for each in sorted(path.parent.glob("*.h5")):
            sizes_within: list[int] = []
            with h5py.File(each) as file:
                file.visititems(lambda _, part, to=sizes_within: to.extend(getattr(part, "shape", ())))
            files.append(sizes_within)
        yield f"weights in each file, {words}", expected, files
        other.load_weights(path)
        yield f"weights read, {words}", values(one.get_weights()), values(other.get_weights())
    huge = _vectors(keras, [4, 40], 1.0)
    small = 80 / 1024**3
    yield (
        "what a weight that is too large raises",
        "ValueError",
        refusal(lambda: huge.save_weights(folder / "huge.weights.json", max_shard_size=small)),
    )


def _vectors(keras: Any, sizes: list[int], start: float) -> Any:
    """A model of one weight a layer, of so many numbers each."""

    class Vector(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, size: int, start: float) -> None:
            super().__init__()
            self.vector = self.add_weight(shape=(size,), initializer=keras.initializers.Constant(start))

        def call(self, x: Any) -> Any:
            return x

    return keras.Sequential([keras.Input((2,)), *(Vector(size, start + k) for k, size in enumerate(sizes))])


def trusted_by_setting(keras: Any, folder: Path) -> Iterator[Seen]:
    """``enable_unsafe_deserialization`` trusts the code in every file and configuration, in its thread."""
    if not hasattr(getattr(keras, "config", None), "enable_unsafe_deserialization"):
        return
    layer, path = keras.layers.Lambda(lambda x: x + 1), folder / "model.keras"
    keras.Sequential([keras.Input((2,)), layer]).save(path)
    ways: Mapping[str, Callable[[], Any]] = {
        "file": lambda: keras.models.load_model(path),
        "configuration": lambda: keras.layers.Lambda.from_config(layer.get_config()),
        "object": lambda: keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)),
    }

    def trusting() -> list[Any]:
        keras.config.enable_unsafe_deserialization()
        return [values(read()(_X)) for read in ways.values()]

    with ThreadPoolExecutor(1) as thread:  # the setting is one of the thread's, and ends with it
        yield "outputs", [(_X + 1).tolist()] * 3, thread.submit(trusting).result()
    for words, read in ways.items():
        if words != "configuration":  # that is judged where layers refuse functions
            yield f"what a {words} raises without it", "ValueError", refusal(read)


def trusted_h5_files(keras: Any, folder: Path) -> Iterator[Seen]:
    """So it does in an .h5 file."""
    if not hasattr(getattr(keras, "config", None), "enable_unsafe_deserialization"):
        return
    path = folder / "model.h5"
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]).save(path)

    def trusting() -> str:
        keras.config.enable_unsafe_deserialization()
        return refusal(keras.models.load_model, path)

    with ThreadPoolExecutor(1) as thread:  # the setting is one of the thread's, and ends with it
        yield "what is raised", "", thread.submit(trusting).result()


def registered_without_package(keras: Any, folder: Path) -> Iterator[Seen]:
    """Without a package it is "Custom", without a name the object's own; what is not registered has its own name."""
    if not is_keras_3(keras):
        return
    saving = keras.saving

    @saving.register_keras_serializable()
    class Unpacked(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x + 1

    def unpacked_function(x: Any) -> Any:
        return x + 2

    unpacked_function = saving.register_keras_serializable(name="renamed_function")(unpacked_function)

    class Unregistered(keras.layers.Layer):  # type: ignore[misc]
        pass

    parts = {"Custom>Unpacked": Unpacked, "Custom>renamed_function": unpacked_function}
    yield "names", [*parts], [saving.get_registered_name(each) for each in parts.values()]
    yield "objects of these names", [True] * 2, [saving.get_registered_object(key) is one for key, one in parts.items()]
    yield "whether they are custom objects", [True] * 2, [key in saving.get_custom_objects() for key in parts]
    yield "name of what is not registered", "Unregistered", saving.get_registered_name(Unregistered)
    yield "object of an unknown name", None, saving.get_registered_object("Custom>Unregistered")
    layer = keras.layers.Activation(unpacked_function)
    written = saving.serialize_keras_object(Unpacked())["registered_name"]
    yield "name in its configuration", "Custom>Unpacked", written
    model = keras.Sequential([keras.Input((2,)), Unpacked(), layer])
    model.save(folder / "model.keras")
    yield "output, loaded", (_X + 3).tolist(), values(keras.models.load_model(folder / "model.keras")(_X))
    register = saving.register_keras_serializable()

    class WithoutConfiguration:
        pass

    yield "what a class without a configuration raises", "ValueError", refusal(register, WithoutConfiguration)


def trees_refused(keras: Any, _: Path) -> Iterator[Seen]:
    """Two weights of one path have no place in a tree; a tree has every weight by its path and in the format asked."""
    if not hasattr(keras.Model, "get_state_tree"):
        return

    class OneName(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, *names: str) -> None:
            super().__init__(name="layer")
            self.names = names

        def build(self, _: Any) -> None:
            for number, name in enumerate(self.names):
                self.add_weight(shape=(), name=name, initializer=keras.initializers.Constant(number))

        def call(self, x: Any) -> Any:
            return x

    def net(*names: str) -> Any:
        model = keras.Sequential([keras.Input((2,)), OneName(*names)], name="net")
        model.compile(keras.optimizers.SGD(), "mse")
        return model

    yield "what two of one path raise", "ValueError", refusal(net("same", "same").get_state_tree)
    for value_format in ("backend_tensor", "numpy_array"):
        tree = net("one", "two").get_state_tree(value_format)["trainable_variables"]
        leaves = tree.get("net", tree)["layer"]
        yield f"tree of others, {value_format}", {"one": 0.0, "two": 1.0}, values(leaves)
    yield "what another format raises", "ValueError", refusal(net("one").get_state_tree, "words")


EXACT: Mapping[str, Row] = table(
    numbers_in_files,
    numbers_in_h5_files,
    surplus_in_files,
    skipped_parts,
    sizes_of_shards,
    trusted_by_setting,
    trusted_h5_files,
    registered_without_package,
    trees_refused,
)
