"""Policies of dtypes as objects: compared, copied, written, mapped to paths, and given to layers."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, refusal, table, values
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import dtype_name
from initcheck.frameworks.floatx import dtype_policy

_X = inputs([1, 2], [3, -4])
_NAMES = {
    "float32": ("float32", "float32"),
    "float16": ("float16", "float16"),
    "mixed_float16": ("float16", "float32"),
    "mixed_bfloat16": ("bfloat16", "float32"),
}


def policies(keras: Any, _: Path) -> Iterator[Seen]:
    """They have names and dtypes, and come back from copies, pickles and configurations."""
    lib: Any = getattr(keras, "dtype_policies", None)
    if not hasattr(lib, "get"):
        return
    register = lib.serialize, lib.deserialize
    for name, dtypes in _NAMES.items():
        policy = lib.DTypePolicy(name)
        ways = {
            "copied": copy.copy(policy),
            "copied deeply": copy.deepcopy({"policy": [policy]})["policy"][0],
            "pickled": pickle.loads(pickle.dumps(policy)),
            "by name": lib.get(name),
            "by itself": lib.get(policy),
            "of its configuration": lib.DTypePolicy.from_config(json.loads(json.dumps(policy.get_config()))),
            "serialized": register[1](json.loads(json.dumps(register[0](policy)))),
            "got by its serialized form": lib.get(register[0](policy)),
        }
        for words, one in ways.items():
            yield (
                f"{name} {words}",
                [name, *dtypes, True],
                [one.name, one.compute_dtype, one.variable_dtype, one == policy],
            )
    yield "whether two are equal", False, lib.DTypePolicy("float16") == lib.DTypePolicy("mixed_float16")
    yield "whether the older class is equal", True, lib.DTypePolicy("float16") == keras.FloatDTypePolicy("float16")
    with dtype_policy(keras, "mixed_bfloat16"):
        names = [lib.get(None).name, lib.DTypePolicy().name, keras.config.dtype_policy().name]
        yield "by default", ["mixed_bfloat16"] * 3, names
    for words, given in (("an unknown name", "float31"), ("a number", 3)):
        yield f"what {words} raises", True, refusal(lib.DTypePolicy, given) in ("ValueError", "TypeError")


def policies_given_to_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """As a name, as an object of either class, as a configuration, and afterwards."""
    lib: Any = getattr(keras, "dtype_policies", None)
    if not hasattr(lib, "get"):
        return
    own, name = _own(keras), "mixed_bfloat16"
    ways = {
        "name": name,
        "object": lib.DTypePolicy(name),
        "object of the older class": keras.FloatDTypePolicy(name),
        "configuration": lib.serialize(lib.DTypePolicy(name)),
    }
    for words, policy in ways.items():
        yield f"dtype of a user's layer by its {words}", "bfloat16", as_array(own(dtype=policy)(_X)).dtype.name
        layer = keras.layers.EinsumDense("ab,bc->ac", 3, dtype=policy)
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        again, other = keras.saving.deserialize_keras_object(config), type(layer).from_config(layer.get_config())
        yield (
            f"policy by its {words}, rebuilt",
            [name] * 3,
            [one.dtype_policy.name for one in (layer, again, other)],
        )
        yield f"dtype of its output by its {words}", "bfloat16", as_array(layer(_X)).dtype.name
    again = own.from_config({"units": 3, "dtype": lib.serialize(lib.DTypePolicy(name))})
    yield "what a constructor is given by from_config", name, getattr(again.given, "name", again.given)
    late = keras.layers.Dense(2)
    late.dtype_policy = "float16"
    yield "dtypes by a policy set afterwards", ["float16"] * 2, [as_array(late(_X)).dtype.name, late.kernel.dtype]


def policies_as_arguments(keras: Any, _: Path) -> Iterator[Seen]:
    """A user's layer that was given an object has it in the configuration that is made of its arguments."""
    lib: Any = getattr(keras, "dtype_policies", None)
    if not hasattr(lib, "get"):
        return
    own = _own(keras)
    for words, policy in (("name", "mixed_bfloat16"), ("object", lib.DTypePolicy("mixed_bfloat16"))):
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(own(3, dtype=policy))))
        again = keras.saving.deserialize_keras_object(config)
        yield f"units and policy by its {words}", [3, "mixed_bfloat16"], [again.units, again.dtype_policy.name]


def _own(keras: Any) -> Any:
    @keras.saving.register_keras_serializable("initcheck")
    class PolicyOfItsOwn(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, units: int = 2, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units, self.given = units, kwargs.get("dtype")

        def call(self, inputs: Any) -> Any:
            return inputs

    return PolicyOfItsOwn


def maps_of_policies(keras: Any, _: Path) -> Iterator[Seen]:
    """A path has the policy of its name, or of the one pattern that it matches as a whole, else the default."""
    lib: Any = getattr(keras, "dtype_policies", None)
    if not hasattr(lib, "DTypePolicyMap"):
        return
    one = lib.DTypePolicyMap(default_policy=lib.DTypePolicy("float64"))
    one["encoder/layer_0/dense"] = lib.DTypePolicy("bfloat16")
    one["encoder/.*"] = lib.DTypePolicy("float16")
    one["decoder"] = "mixed_bfloat16"
    again = lib.DTypePolicyMap.from_config(json.loads(json.dumps(one.get_config(), default=lib.serialize)))
    for words, each in (("", one), ("rebuilt, ", again)):
        for path, name in (
            ("encoder/layer_0/dense", "bfloat16"),
            ("encoder/attention/query", "float16"),
            ("decoder", "mixed_bfloat16"),
            ("elsewhere", "float64"),
        ):
            yield f"{words}{path}", name, each[path].name
        yield f"{words}number", [3, ["decoder", "encoder/.*", "encoder/layer_0/dense"]], [len(each), sorted(each)]
    yield "dtypes by default", ["float64", "float64"], [one.compute_dtype, one.variable_dtype]
    yield "what a path that is there raises", "ValueError", refusal(one.__setitem__, "decoder", "float16")
    yield "what no policy raises", "ValueError", refusal(one.__setitem__, "other", 3.5)
    del one["decoder"]
    yield "a path that was deleted", ["float64", False], [one["decoder"].name, "decoder" in one]


def patterns_of_policies(keras: Any, _: Path) -> Iterator[Seen]:
    """A part of a path is not the path; two patterns that match are refused."""
    lib: Any = getattr(keras, "dtype_policies", None)
    if not hasattr(lib, "DTypePolicyMap"):
        return
    one = lib.DTypePolicyMap(default_policy=lib.DTypePolicy("float32"))
    one["encoder/.*"], one["decoder"] = lib.DTypePolicy("float16"), lib.DTypePolicy("bfloat16")
    paths = ("decoder/attention", "an/encoder/layer", "decoder_2")
    yield "parts of paths", ["float32"] * 3, [one[path].name for path in paths]
    one["encoder/attention/.*"] = lib.DTypePolicy("bfloat16")
    yield "what two patterns raise", "ValueError", refusal(lambda: one["encoder/attention/query"])


def layers_under_maps(keras: Any, folder: Path) -> Iterator[Seen]:
    """Each layer within another has the policy of its path, and the file keeps it."""
    lib: Any = getattr(keras, "dtype_policies", None)
    if not hasattr(lib, "DTypePolicyMap"):
        return
    given = lib.DTypePolicyMap(default_policy=lib.DTypePolicy("mixed_float16"))
    given["heads/query"] = lib.DTypePolicy("float16")
    steps = keras.Input((3, 4))
    heads = keras.layers.MultiHeadAttention(2, 3, dtype=given, name="heads")
    model = keras.Model(steps, heads(steps, steps), name="around")
    model.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras")
    for words, one in (("", heads), ("loaded, ", loaded.get_layer("heads"))):
        dtypes = [(part.path, part.compute_dtype, part.variable_dtype) for part in (one._query_dense, one._value_dense)]
        yield (
            f"{words}dtypes",
            [("heads/query", "float16", "float16"), ("heads/value", "float16", "float32")],
            dtypes,
        )
    yield "output, loaded", values(model(np.ones((1, 3, 4), np.float32))), values(loaded(np.ones((1, 3, 4), "f")))


def whole_numbers_within(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer of whole numbers computes them within a layer of half precision, too."""
    if not hasattr(keras, "dtype_policies"):
        return

    class HalfAround(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(dtype="mixed_float16")
            self.inner = keras.layers.Reshape((2, 2), dtype="uint8")
            self.scale = self.add_weight(shape=(), initializer="ones")

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs), self.scale * 1

    whole, scale = HalfAround()(np.arange(8, dtype=np.uint8).reshape(2, 4))
    yield "type and numbers", ["uint8", [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]], [dtype_name(whole), values(whole)]
    yield "type of a weight", "float16", dtype_name(scale)


GIVEN_POLICIES: Mapping[str, Row] = table(
    policies,
    policies_given_to_layers,
    policies_as_arguments,
    maps_of_policies,
    patterns_of_policies,
    layers_under_maps,
    whole_numbers_within,
)
