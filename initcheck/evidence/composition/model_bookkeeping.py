"""What models keep of themselves: their flags, layers, tensors and losses, and what they are called with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, refusal, table, values
from initcheck.frameworks.arrays import as_array

_X = inputs([1, 2], [3, -4])


def _twice(keras: Any, **options: Any) -> Any:
    twos = keras.initializers.Constant(2.0)
    return keras.layers.EinsumDense("ab,b->ab", 2, bias_axes="b", kernel_initializer=twos, **options)


def _graph(keras: Any) -> Any:
    x = keras.Input((2,))
    return keras.Model(x, _twice(keras, name="two")(_twice(keras, name="one")(x)))


def _stack(keras: Any) -> Any:
    return keras.Sequential([keras.Input((2,)), _twice(keras, name="one"), _twice(keras, name="two")])


def _flags(model: Any) -> list[Any]:
    """Whether it is trained, which of its layers are, and how many weights."""
    layers = [layer.trainable for layer in model.layers if layer.weights]
    return [model.trainable, layers, len(model.trainable_weights), len(model.non_trainable_weights)]


def _settings() -> Iterator[tuple[str, Callable[[Any], None], list[Any]]]:
    """What is frozen or thawed, and the flags afterwards."""

    def frozen(model: Any) -> None:
        model.trainable = False

    def thawed_within(model: Any) -> None:
        model.trainable = False
        model.layers[-1].trainable = True

    def frozen_within(model: Any) -> None:
        for layer in model.layers:
            layer.trainable = False

    yield "a frozen model", frozen, [False, [False, False], 0, 4]
    yield "a frozen model with a thawed layer", thawed_within, [False, [False, True], 0, 4]
    yield "a model of frozen layers", frozen_within, [True, [False, False], 0, 4]


def frozen_models(keras: Any, _: Path) -> Iterator[Seen]:
    """Nothing is trained in a model that is frozen, whatever its layers' flags; a clone's layers have theirs."""
    if not is_keras_3(keras):
        return
    for kind, make in (("Model", _graph), ("Sequential", _stack)):
        for words, change, expected in _settings():
            model = make(keras)
            change(model)
            yield f"flags, {words}, {kind}", expected, _flags(model)
            clone = keras.models.clone_model(model)
            own = [clone.trainable] if kind == "Sequential" else expected[:1]  # a graph's clone has no flag of its own
            yield f"flags of a clone, {words}, {kind}", expected[:2], [*own, _flags(clone)[1]]
            model.trainable = False
            model.trainable = True
            yield f"flags once it is thawed, {words}, {kind}", [True, [True, True], 4, 0], _flags(model)


def frozen_clones_of_graphs(keras: Any, _: Path) -> Iterator[Seen]:
    """The clone of a functional model has its own flag, too, as that of a Sequential has."""
    if not is_keras_3(keras):
        return
    for words, change, expected in _settings():
        model = _graph(keras)
        change(model)
        yield f"flags of a clone, {words}", expected, _flags(keras.models.clone_model(model))


def frozen_configurations(keras: Any, folder: Path) -> Iterator[Seen]:
    """A functional model's own flag comes back from its configuration and file, as do those of its layers."""
    if not is_keras_3(keras):
        return
    for words, change, expected in _settings():
        model = _graph(keras)
        change(model)
        model.save(folder / "model.keras")
        for way, one in (
            ("rebuilt", keras.Model.from_config(model.get_config())),
            ("loaded", keras.models.load_model(folder / "model.keras")),
        ):
            yield f"flags, {words}, {way}", expected, _flags(one)


def frozen_by_argument(keras: Any, _: Path) -> Iterator[Seen]:
    """``trainable`` is an argument of models, too, and may be set to True later."""
    if not is_keras_3(keras):
        return
    x = keras.Input((2,))
    for trainable in (False, True):
        models = (
            keras.Model(x, _twice(keras)(x), trainable=trainable),
            keras.Sequential([keras.Input((2,)), _twice(keras)], trainable=trainable),
        )
        for model in models:
            counts = [model.trainable, len(model.trainable_weights)]
            model.trainable = not trainable
            counts += [model.trainable, len(model.trainable_weights)]
            expected = [trainable, 2 * trainable, not trainable, 2 * (not trainable)]
            yield f"{type(model).__name__} with {trainable}, then thawed or frozen", expected, counts


def order_of_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """Layers of one depth are listed as they are reached from the outputs, whatever their names, and so are weights."""
    if not is_keras_3(keras):
        return
    x = keras.Input((2,), name="x")
    branches = [_twice(keras, name=name)(x) for name in ("z", "b", "m")]
    model = keras.Model(x, keras.layers.Add(name="a")(branches))
    sorted_model = keras.Model({"x": x}, {"q": branches[0], "c": branches[1]})
    expected = ["x", "z", "b", "m", "a"]
    for words, one in (
        ("", model),
        (", rebuilt", keras.Model.from_config(model.get_config())),
        (", cloned", keras.models.clone_model(model)),
    ):
        yield f"names{words}", expected, [layer.name for layer in one.layers]
        yield f"number 2{words}", "b", one.get_layer(index=2).name
        named = [layer.name for layer in one.layers for _weight in layer.weights]
        yield f"layers of its weights{words}", named, [weight.path.split("/")[-2] for weight in one.weights]
    yield "outputs by name", ["c", "q"], sorted(sorted_model.output)
    yield "names with outputs by name", {"x", "z", "b"}, {layer.name for layer in sorted_model.layers}


def tensors_of_first_calls(keras: Any, _: Path) -> Iterator[Seen]:
    """``input`` and ``output`` of a layer or model are those of its first call; before it there are none."""
    if not is_keras_3(keras):
        return
    inner = keras.Input((2,))
    for words, layer in (("layer", _twice(keras)), ("operation", keras.layers.Add())):
        one, two = keras.Input((2,)), keras.Input((2,))
        yield f"what the output of a {words} raises before", True, bool(refusal(lambda layer=layer: layer.output))
        given = [[one, inner], [two, inner]] if words == "operation" else [one, two]
        outputs = [layer(each) for each in given]
        first = layer.input[0] if words == "operation" else layer.input
        yield f"input and output of a {words}", [True, True], [first is one, layer.output is outputs[0]]


def layers_of_stacks(keras: Any, _: Path) -> Iterator[Seen]:
    """``pop`` returns the layer that it takes off; names are unique; what is no layer is refused."""
    layers, names = keras.layers, ("a", "b", "c")
    model = keras.Sequential([keras.Input((2,)), *(_twice(keras, name=name) for name in names)])
    if not is_keras_3(keras):
        return
    yield "taken off", ["c", "b"], [model.pop().name for _ in range(2)]
    yield "left, weights, output", [["a"], 2, (2 * _X).tolist()], [*_left(model)]
    twins = [layers.Dense(1, name="a"), layers.ReLU(name="a")]
    yield "what two layers of one name raise", "ValueError", refusal(keras.Sequential, twins)
    yield "what adding one of that name raises", "ValueError", refusal(model.add, layers.ReLU(name="a"))
    yield "what adding a model of that name raises", "ValueError", refusal(model.add, keras.Sequential(name="a"))
    yield "what adding no layer raises", "ValueError", refusal(model.add, 3.0)
    yield "what a second input raises", "ValueError", refusal(model.add, keras.Input((2,)))
    yield "left, weights, output afterwards", [["a"], 2, (2 * _X).tolist()], [*_left(model)]
    yield "what a name and a number raise", "ValueError", refusal(lambda: model.get_layer("a", 0))
    yield "what a number that is too high raises", "ValueError", refusal(lambda: model.get_layer(index=7))


def _left(model: Any) -> Iterator[Any]:
    yield [layer.name for layer in model.layers]
    yield len(model.weights)
    yield values(model(_X))


def clones_of_nested_models(keras: Any, _: Path) -> Iterator[Seen]:
    """A recursive clone shares what stacks and graphs share, and makes and calls layers within as the functions say."""
    if "recursive" not in inspect.signature(keras.models.clone_model).parameters:
        return
    clone, x = keras.models.clone_model, keras.Input((2,))

    def parts(shared: Any) -> Mapping[str, Any]:
        stack = keras.Sequential([keras.Input((2,)), shared], name="stack")
        graph = keras.Model(y := keras.Input((2,)), shared(y), name="graph")
        return {
            "a stack and a layer": keras.Model(x, shared(stack(x))),
            "a stack and a graph": keras.Model(x, graph(stack(x))),
            "two stacks": keras.Model(x, keras.Sequential([keras.Input((2,)), shared])(stack(x))),
            "a stack in a stack": keras.Sequential([keras.Input((2,)), stack, shared]),
            "a stack in a graph": keras.Model(x, keras.Model(z := keras.Input((2,)), shared(stack(z)))(x)),
        }

    for words, model in parts(_twice(keras, name="shared")).items():
        copied = clone(model, recursive=True)
        yield f"weights, {words}", [2, 2], [len(model.weights), len(copied.weights)]
        copied.set_weights([3 * np.ones(2), np.zeros(2)])
        results = [values(copied(_X)), values(model(_X))]
        yield f"outputs of the clone and the original, {words}", [(9 * _X).tolist(), (4 * _X).tolist()], results

    def thrice(layer: Any, *args: Any, **kwargs: Any) -> Any:
        return layer(*args, **kwargs) * (3.0 if layer.name == "inside" else 1.0)

    inside = keras.Model(y := keras.Input((2,)), _twice(keras, name="inside")(y))
    around = keras.Model(z := keras.Input((2,)), inside(z))
    called = clone(keras.Model(x, around(x)), recursive=True, call_function=thrice)
    yield "output of layers within that are called otherwise", (6 * _X).tolist(), values(called(_X))


def calls_elsewhere(keras: Any, folder: Path) -> Iterator[Seen]:
    """A model comes back whatever else its layers were called on, however often, before and between."""
    if not is_keras_3(keras):
        return
    inner = keras.Sequential([keras.Input((2,)), _twice(keras)])
    makers: Mapping[str, Callable[[], Any]] = {
        "layer": lambda: _twice(keras),
        "model": lambda: keras.models.clone_model(inner),
    }
    for words, make in makers.items():
        for before, between in ((0, 1), (1, 0), (2, 0), (3, 2)):
            layer, x = make(), keras.Input((2,))
            for _call in range(before):
                layer(keras.Input((2,)))
            hidden = layer(x)
            for _call in range(between):
                layer(keras.Input((2,)))
            model = keras.Model(x, [keras.layers.Subtract()([layer(hidden), x]), hidden])
            layer(keras.Input((2,)))
            again = keras.Model.from_config(model.get_config())
            again.set_weights([3 * np.ones(2), np.zeros(2)])
            calls = f"{before} calls before and {between} between"
            yield f"layers of a {words} with {calls}", len(model.layers), len(again.layers)
            yield f"outputs of a {words} with {calls}", [(8 * _X).tolist(), (3 * _X).tolist()], values(again(_X))
    model.save(folder / "model.keras")
    loaded = keras.models.load_model(folder / "model.keras")
    yield "outputs, loaded", [(3 * _X).tolist(), (2 * _X).tolist()], values(loaded(_X))


def losses_of_shared_layers(keras: Any, _: Path) -> Iterator[Seen]:
    """A layer that two models within a model share is one layer: its losses, weights and metrics count once."""
    if not is_keras_3(keras):
        return
    x, ones = keras.Input((2,)), np.ones((1, 2), np.float32)
    shared = _twice(keras, kernel_regularizer="l1", activity_regularizer="l1")
    stacks = [keras.Sequential([keras.Input((2,)), shared], name=name) for name in ("s", "t")]
    graphs = [keras.Model(y, shared(y), name=name) for name in ("p", "q") for y in [keras.Input((2,))]]
    for words, parts in (("stacks", stacks), ("graphs", graphs), ("a stack and a graph", [stacks[0], graphs[0]])):
        model = keras.Model(x, [part(x) for part in parts])
        model(ones)
        counted = [len(model.losses), len(model.weights), len(model.trainable_weights), model.count_params()]
        yield f"losses, weights, trained ones, parameters of {words}", [3, 2, 2, 4], counted
        yield f"losses of {words}", [0.04] * 3, [round(float(one), 6) for one in model.losses]


def masks_given_by_hand(keras: Any, _: Path) -> Iterator[Seen]:
    """A model is given a mask for each of its inputs, in their structure; one of them may be None."""
    if not is_keras_3(keras):
        return
    pooled = keras.layers.GlobalAveragePooling1D
    steps = np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    masks = [np.array([flags]) for flags in ([True, False, False], [False, False, True])]
    first, second, whole = [[0.0, 1.0]], [[4.0, 5.0]], [[2.0, 3.0]]
    a, b = keras.Input((3, 2), name="a"), keras.Input((3, 2), name="b")
    outputs = [pooled()(a), pooled()(b)]
    listed, named = keras.Model([a, b], outputs), keras.Model({"a": a, "b": b}, outputs)
    yield "of a list", [first, second], values(listed([steps, steps], mask=masks))
    yield "of a list, the first None", [whole, second], values(listed([steps, steps], mask=[None, masks[1]]))
    yield "of a list, none given", [whole, whole], values(listed([steps, steps]))
    given = {"a": steps, "b": steps}
    yield "by name", [first, second], values(named(given, mask={"a": masks[0], "b": masks[1]}))
    for words, model in (
        ("a Sequential", keras.Sequential([keras.Input((3, 2)), pooled()])),
        ("a Sequential that is not built", keras.Sequential([keras.layers.Identity(), pooled()])),
        ("a model", keras.Model(a, outputs[0])),
    ):
        yield f"of {words}", second, values(model(steps, mask=masks[1]))


def dictionaries_for_lists(keras: Any, _: Path) -> Iterator[Seen]:
    """A model of a list of inputs takes a dictionary by their names, in whatever order it is."""
    if not is_keras_3(keras):
        return
    for names in (("a", "b"), ("b", "a")):
        tensors = {name: keras.Input((2,), name=name) for name in names}
        model = keras.Model([*tensors.values()], keras.layers.Subtract()([tensors["a"], tensors["b"]]))
        model.compile(keras.optimizers.SGD(0.0), "mae", run_eagerly=True)
        given = {"a": 3 * _X, "b": _X}
        for words, one in (("sorted", given), ("the other way", dict(reversed(given.items())))):
            yield f"output, inputs {names}, {words}", (2 * _X).tolist(), values(model(one))
            yield f"predicted, inputs {names}, {words}", (2 * _X).tolist(), values(model.predict_on_batch(one))
            yield f"loss, inputs {names}, {words}", 0.0, float(as_array(model.test_on_batch(one, 2 * _X)))
        yield f"what a missing name raises, {names}", True, bool(refusal(model, {"a": _X}))


def batches_in_shapes(keras: Any, _: Path) -> Iterator[Seen]:
    """The shape that a model announces has the batch that is asked for, not its own."""
    if not is_keras_3(keras):
        return
    x, y = keras.Input((2,)), keras.Input((2,))
    inner = keras.Model(x, keras.layers.Dense(3)(x))
    models = {
        "model": inner,
        "model in a model": keras.Model(y, inner(y)),
        "Sequential": keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]),
        "Sequential that is not built": keras.Sequential([keras.layers.Dense(3)]),
        "Sequential of a model": keras.Sequential([inner, keras.layers.Activation("relu")]),
    }
    for words, model in models.items():
        shapes = [tuple(model.compute_output_shape((batch, 2))) for batch in (5, None, 1)]
        yield f"of a {words}", [(5, 3), (None, 3), (1, 3)], shapes
        yield f"of a symbolic call of a {words}", (5, 3), tuple(model(keras.Input((2,), batch_size=5)).shape)
        spec = model.compute_output_spec(keras.KerasTensor((4, 2), "float32"))
        yield f"as specified by a {words}", ((4, 3), "float32"), (tuple(spec.shape), spec.dtype)


def numbered_names(keras: Any, _: Path) -> Iterator[Seen]:
    """``clear_session`` begins to number names anew, which are unique until then."""
    if not is_keras_3(keras):
        return

    class NumberedFirst(keras.layers.Layer):  # type: ignore[misc]
        pass

    class NumberedToo(keras.layers.Layer):  # type: ignore[misc]
        pass

    clear = keras.utils.clear_session
    session = clear.__globals__
    options = {"free_memory": False} if "free_memory" in inspect.signature(clear).parameters else {}
    before = dict(session)  # what was there before is there afterwards
    try:
        for _round in range(2):
            clear(**options)
            names = [kind().name for kind in (NumberedFirst, NumberedFirst, NumberedToo, NumberedFirst)]
            yield "names", ["numbered_first", "numbered_first_1", "numbered_too", "numbered_first_2"], names
            yield "name of a model", "sequential", keras.Sequential().name
    finally:
        session.update(before)


MODEL_BOOKKEEPING: Mapping[str, Row] = table(
    frozen_models,
    frozen_clones_of_graphs,
    frozen_configurations,
    frozen_by_argument,
    order_of_layers,
    tensors_of_first_calls,
    layers_of_stacks,
    clones_of_nested_models,
    calls_elsewhere,
    losses_of_shared_layers,
    masks_given_by_hand,
    dictionaries_for_lists,
    batches_in_shapes,
    numbered_names,
)
