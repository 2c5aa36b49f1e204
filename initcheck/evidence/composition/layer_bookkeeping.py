"""What a layer keeps of itself: its containers, its mode, its penalties, what it announces and checks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, refusal, table, values
from initcheck.frameworks.backend_calls import dtype_name


def changed_containers(keras: Any, _: Path) -> Iterator[Seen]:
    """What is put into a container that is an attribute counts as the layer's, and no more once it is taken out."""
    if not is_keras_3(keras):
        return

    def variable(_number: int = 0) -> Any:
        return keras.Variable(1.0)

    def layer() -> Any:
        table = keras.layers.Embedding(2, 1)
        table.build()
        return table

    holder = keras.layers.Layer()
    holder.listed, holder.named, holder.some = [variable()], {"a": variable()}, {layer()}
    holder.ordered = OrderedDict(a=variable())
    changes: Mapping[str, Callable[[], Any]] = {
        "append": lambda: holder.listed.append(variable()),
        "insert": lambda: holder.listed.insert(0, variable()),
        "extend": lambda: holder.listed.extend([variable(), variable()]),
        "pop of a list": lambda: holder.listed.pop(),
        "remove": lambda: holder.listed.remove(holder.listed[0]),
        "del of a list": lambda: holder.listed.__delitem__(0),
        "clear of a list": lambda: holder.listed.clear(),
        "an item": lambda: holder.named.__setitem__("b", variable()),
        "update": lambda: holder.named.update({"c": variable(), "d": variable()}),
        "pop of a dict": lambda: holder.named.pop("b"),
        "popitem": lambda: holder.named.popitem(),
        "clear of a dict": lambda: holder.named.clear(),
        "an item in order": lambda: holder.ordered.__setitem__("b", variable()),
        "add to a set": lambda: holder.some.add(layer()),
        "update of a set": lambda: holder.some.update({layer(), layer()}),
        "pop of a set": lambda: holder.some.pop(),
        "remove from a set": lambda: holder.some.remove(next(iter(holder.some))),
        "clear of a set": lambda: holder.some.clear(),
    }
    for words, change in changes.items():
        change()
        held = [*holder.listed, *holder.named.values(), *holder.ordered.values()]
        held += [weight for table in holder.some for weight in table.weights]
        tracked = sorted(map(id, holder.weights))
        yield f"whether the weights are those that are held after {words}", True, sorted(map(id, held)) == tracked


def modes_by_default(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer's own default of ``training`` counts only where none is given, be it True or False."""
    if not is_keras_3(keras):
        return

    class Inner(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, training: bool = True) -> Any:
            return inputs * (2 if training else 3)

    class Enclosing(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()

        def call(self, inputs: Any, training: Any = None) -> Any:
            return self.inner(inputs)

    layer, one = Enclosing(), inputs(1)
    for words, given, expected in (("nothing", {}, 2.0), ("True", {"training": True}, 2.0)):
        yield f"output where the outer layer is given {words}", [expected], values(layer(one, **given))
    yield "output where the outer layer is given False", [3.0], values(layer(one, training=False))


def penalized_outputs(keras: Any, _: Path) -> Iterator[Seen]:
    """An activity regularizer counts every output of a layer."""
    if not is_keras_3(keras):
        return

    class Twofold(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs, {"b": 3 * inputs}

    layer = Twofold(activity_regularizer=keras.regularizers.L1(1.0))
    layer(inputs([1], [2]))
    yield "losses, shared by the rows", [1.5, 4.5], sorted(values(layer.losses))


def penalties_once(keras: Any, _: Path) -> Iterator[Seen]:
    """A weight that a layer holds twice is penalized once."""
    if not is_keras_3(keras):
        return
    dense = keras.layers.Dense(1, kernel_regularizer="l2")
    dense.build((1, 1))

    class Twice(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.kernel, self.dense = dense.kernel, dense

    yield "losses", 1, len(Twice().losses)


def types_announced(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that announces its output's shape announces its compute dtype with it."""
    if not is_keras_3(keras):
        return

    class Shaped(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs * 2

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    yield "announced", "float16", Shaped(dtype="mixed_float16")(keras.Input((2,))).dtype


def specified_at_the_end(keras: Any, _: Path) -> Iterator[Seen]:
    """An input's size is checked along axes that are counted from the end, too."""
    if not is_keras_3(keras):
        return
    layer = keras.layers.Layer()
    layer.input_spec = keras.layers.InputSpec(axes={-1: 3})
    yield "raised for another size", "ValueError", refusal(layer, inputs([1, 2]))


def types_within(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer without autocast keeps its weights' type within a mixed layer; tensors given by name are cast."""
    if not is_keras_3(keras):
        return
    ops = keras.ops

    class Still(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            self.factor = self.add_weight(shape=(1,), initializer="ones", name="factor")

        def call(self, inputs: Any) -> Any:
            return self.factor * ops.ones((1,), "float16")

    class Encircling(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__(dtype="mixed_float16")
            self.inner = inner

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    class TakingByName(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any, other: Any = None) -> Any:
            return other

    around = Encircling(Still(autocast=False, dtype="mixed_float16"))
    yield "a weight without autocast within a mixed layer", "float32", dtype_name(around(inputs(1)))
    named = TakingByName(dtype="float16")
    yield "a tensor by name", "float16", dtype_name(named(inputs(1), other=ops.ones((1,))))


def specified_types(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that specifies its inputs' type refuses others; ``trainable`` is True or False."""
    if not is_keras_3(keras):
        return
    layer = keras.layers.Layer()
    layer.input_spec = keras.layers.InputSpec(dtype="int32")
    yield "raised for another type", "ValueError", refusal(layer, inputs([1, 2]))
    yield "raised for trainable='no'", "ValueError", refusal(lambda: keras.layers.Dense(2, trainable="no"))


BOOKKEEPING: Mapping[str, Row] = table(
    changed_containers,
    modes_by_default,
    penalized_outputs,
    penalties_once,
    types_announced,
    specified_at_the_end,
    types_within,
    specified_types,
)
