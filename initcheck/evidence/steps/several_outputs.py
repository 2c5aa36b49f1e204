"""Models of several outputs: whose loss and metrics are whose, how much each counts, and under which name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, refusal, table, values
from initcheck.evidence.steps.trained_models import (
    QUIET,
    X,
    compiled,
    matched,
    reported,
    tested,
    trained,
    two_heads,
)
from initcheck.frameworks.arrays import as_array
from initcheck.oracle.reported_means import errors, mean_loss, mean_metric

_ZETA, _ALPHA = inputs([1], [0], [2], [1]), inputs([0, 1], [1, 3], [0, 0], [2, 1])
_OF_ZETA, _OF_ALPHA = X.sum(axis=1, keepdims=True), np.repeat(X.sum(axis=1, keepdims=True), 2, axis=1)
_SHARES = {"zeta": inputs(1, 2, 0, 0.5), "alpha": inputs(3, 0, 1, 1)}

# Structure of outputs in words → the structure, and the names of the two heads in reports.
STRUCTURES: Mapping[str, Callable[[Any, Any], Any]] = {
    "list": lambda zeta, alpha: [zeta, alpha],
    "tuple": lambda zeta, alpha: (zeta, alpha),
    "dict": lambda zeta, alpha: {"zeta": zeta, "alpha": alpha},
    "sorted dict": lambda zeta, alpha: {"alpha": alpha, "zeta": zeta},
}


def _loss(name: str, head: str, weights: Any = None) -> float:
    return mean_loss(_errors(name, head), weights)


def _metric(name: str, head: str, weights: Any = None) -> float:
    return mean_metric(_errors(name, head), weights)


def _errors(name: str, head: str) -> Any:
    return errors(name, *((_ZETA, _OF_ZETA) if head == "zeta" else (_ALPHA, _OF_ALPHA)))


def losses_of_heads(keras: Any, _: Path) -> Iterator[Seen]:
    """The loss is the sum over the outputs, and that of each is reported: one for all, by list, by name."""
    for words, structure in STRUCTURES.items():
        y = structure(_ZETA, _ALPHA)
        for given, loss, names in (
            ("one loss", "mse", ("mse", "mse")),
            ("losses as they are nested", structure("mse", "mae"), ("mse", "mae")),
            ("losses by name", {"alpha": "mse", "zeta": "mae"}, ("mae", "mse")),
            ("losses by name in order of outputs", {"zeta": "mae", "alpha": "mse"}, ("mae", "mse")),
        ):
            model = two_heads(keras, structure, loss=loss)
            zeta, alpha = _loss(names[0], "zeta"), _loss(names[1], "alpha")
            expected = {"loss": zeta + alpha, "zeta_loss": zeta, "alpha_loss": alpha}
            yield f"{given} of a {words}", expected, matched(expected, tested(model, X, y))


def weights_of_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """``loss_weights`` weigh the sum; the loss of each output is reported as it is."""
    for words, structure in STRUCTURES.items():
        y = structure(_ZETA, _ALPHA)
        for given, loss, weights in (
            ("weights as they are nested", structure("mse", "mae"), structure(2.0, 0.25)),
            ("weights by name", {"alpha": "mae", "zeta": "mse"}, {"alpha": 0.25, "zeta": 2.0}),
            ("weights by name, the other way round", {"zeta": "mse", "alpha": "mae"}, {"alpha": 0.25, "zeta": 2.0}),
            ("a weight of zero", {"zeta": "mse", "alpha": "mae"}, {"alpha": 0.0, "zeta": 1.0}),
        ):
            model = two_heads(keras, structure, loss=loss, loss_weights=weights)
            zeta, alpha = _loss("mse", "zeta"), _loss("mae", "alpha")
            first, second = (weights["zeta"], weights["alpha"]) if isinstance(weights, dict) else weights
            expected = {"loss": first * zeta + second * alpha}
            if is_keras_3(keras):
                expected |= {"zeta_loss": zeta, "alpha_loss": alpha}
            seen = {name: one for name, one in tested(model, X, y).items() if name in expected}
            yield f"{given} of a {words}", expected, matched(expected, seen)
    if is_keras_3(keras):
        one = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
        for words, weight in (("number", 0.5), ("list", [0.5])):
            loss = tested(compiled(keras, one, loss_weights=weight), X, _ZETA)
            expected = {"loss": 0.5 * _loss("mse", "zeta")}
            yield f"a weight of the only loss as a {words}", expected, matched(expected, loss)
    for words, weights in (("three weights", [1.0, 2.0, 3.0]), ("a text", "2")) if is_keras_3(keras) else ():
        model = lambda weights=weights: tested(  # noqa: E731 - an action to be refused
            two_heads(keras, STRUCTURES["list"], loss=["mse", "mse"], loss_weights=weights), X, [_ZETA, _ALPHA]
        )
        yield f"whether {words} raise", True, bool(refusal(model))


def weights_of_one_loss(keras: Any, _: Path) -> Iterator[Seen]:
    """The weight of the loss of a single output: by the name of the output, as its loss or not."""
    if not is_keras_3(keras) or Version(keras.__version__) < Version("3.7"):
        return
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="only")(x))
    for words, loss, weight in (
        ("by name beside one loss", "mse", {"only": 0.5}),
        ("by name", {"only": "mse"}, {"only": 0.5}),
        ("of zero", {"only": "mse"}, {"only": 0.0}),
    ):
        expected = _loss("mse", "zeta") * (0.0 if words == "of zero" else 0.5)
        report = tested(compiled(keras, model, loss=loss, loss_weights=weight), X, _ZETA)
        yield f"weight {words}", expected, matched(expected, report["loss"])


def steps_of_heads(keras: Any, _: Path) -> Iterator[Seen]:
    """Gradients are those of the weighted sum: each head's kernel moves by its own loss only."""
    for words, structure in STRUCTURES.items():
        loss = {"zeta": "mse", "alpha": "mse"}
        model = two_heads(keras, structure, loss=loss, loss_weights={"zeta": 0.5, "alpha": 4.0})
        model.optimizer.learning_rate = 0.5
        trained(model, X, structure(_ZETA, _ALPHA))
        for name, y, output, weight in (("zeta", _ZETA, _OF_ZETA, 0.5), ("alpha", _ALPHA, _OF_ALPHA, 4.0)):
            slope = weight * 2 * X.T.astype(float) @ (output - y) / y.size
            expected = (1 - 0.5 * slope).tolist()
            kernel = values(model.get_layer(name).kernel)
            yield f"kernel of {name} in a {words} after a step", expected, matched(expected, kernel)


def outputs_without_a_loss(keras: Any, _: Path) -> Iterator[Seen]:
    """An output whose loss is None counts for nothing, and its kernel stays."""
    cases: list[tuple[str, Any, Any, str]] = [
        ("the second of a list", STRUCTURES["list"], ["mse", None], "zeta"),
        ("the first of a list", STRUCTURES["list"], [None, "mse"], "alpha"),
        ("alpha by name", STRUCTURES["dict"], {"zeta": "mse", "alpha": None}, "zeta"),
        ("zeta by name", STRUCTURES["dict"], {"alpha": "mse", "zeta": None}, "alpha"),
        ("what is left out of names", STRUCTURES["dict"], {"alpha": "mse"}, "alpha"),
    ]
    for words, structure, loss, head in cases:
        model = two_heads(keras, structure, loss=loss)
        model.optimizer.learning_rate = 0.5
        report = trained(model, X, structure(_ZETA, _ALPHA))
        yield f"loss without {words}", _loss("mse", head), matched(_loss("mse", head), report["loss"])
        other = "alpha" if head == "zeta" else "zeta"
        kernel = as_array(model.get_layer(other).kernel)
        yield f"kernel without a loss: {words}", np.ones(kernel.shape).tolist(), kernel.tolist()
        yield (
            f"whether the other kernel moves: {words}",
            True,
            bool(np.any(as_array(model.get_layer(head).kernel) != 1)),
        )
        if not isinstance(loss, dict) and is_keras_3(keras):
            y = {"zeta": _ZETA, "alpha": _ALPHA}[head]
            only = refusal(lambda y=y, model=model: model.test_on_batch(X, [y]))
            yield f"raised for the only targets without {words}", "", only


def metrics_of_heads(keras: Any, _: Path) -> Iterator[Seen]:
    """Metrics by name, as they are nested, one or several for an output: each sees its own output's rows only."""
    for words, structure in STRUCTURES.items():
        y = structure(_ZETA, _ALPHA)
        zeta, alpha = _loss("mse", "zeta"), _loss("mse", "alpha")
        losses = {"loss": zeta + alpha, "zeta_loss": zeta, "alpha_loss": alpha}
        of = {f"{head}_{name}": _metric(name, head) for head in ("zeta", "alpha") for name in ("mse", "mae")}
        for given, metrics, names in (
            ("one each", structure(["mae"], ["mse"]), ("zeta_mae", "alpha_mse")),
            ("several each", structure(["mae"], ["mae", "mse"]), ("zeta_mae", "alpha_mae", "alpha_mse")),
            ("names alone", {"alpha": "mae", "zeta": "mse"}, ("alpha_mae", "zeta_mse")),
            ("lists by name", {"alpha": ["mae", "mse"], "zeta": ["mae"]}, ("alpha_mae", "alpha_mse", "zeta_mae")),
            ("one output's alone", {"alpha": ["mae"]}, ("alpha_mae",)),
            ("the other's alone", {"zeta": ["mae"]}, ("zeta_mae",)),
            ("a list with an empty one", structure(["mae"], []), ("zeta_mae",)),
        ):
            model = two_heads(keras, structure, metrics=metrics)
            expected = {**losses, **{name: of[name] for name in names}}
            yield f"metrics of a {words}: {given}", expected, matched(expected, tested(model, X, y))


def targets_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """Targets and weights of rows may be named as the outputs are, where these are a list: each goes to its own."""
    for words, structure in STRUCTURES.items():
        if not is_keras_3(keras) and words != "list":
            continue
        model = two_heads(
            keras,
            structure,
            loss={"zeta": "mse", "alpha": "mae"},
            metrics={"zeta": ["mae"], "alpha": ["mse"]},
            weighted_metrics={"alpha": ["mae"]},
        )
        expected = {"zeta_loss": _loss("mse", "zeta"), "alpha_loss": _loss("mae", "alpha")}
        expected |= {
            "loss": sum(expected.values()),
            "zeta_mae": _metric("mae", "zeta"),
            "alpha_mse": _metric("mse", "alpha"),
            "alpha_mae": _metric("mae", "alpha"),
        }
        for order in (("zeta", "alpha"), ("alpha", "zeta")):
            y = {name: _ZETA if name == "zeta" else _ALPHA for name in order}
            report = tested(model, X, y)
            yield f"report of a {words}, targets {' before '.join(order)}", expected, matched(expected, report)


def weighted_metrics_of_heads(keras: Any, _: Path) -> Iterator[Seen]:
    """Each output's rows have their own weights, which count for its loss and its ``weighted_metrics``."""
    for words, structure in STRUCTURES.items():
        y, shares = structure(_ZETA, _ALPHA), structure(_SHARES["zeta"], _SHARES["alpha"])
        model = two_heads(
            keras,
            structure,
            metrics={"alpha": ["mse"], "zeta": ["mse"]},
            weighted_metrics={"zeta": ["mae"], "alpha": ["mae"]},
        )
        zeta, alpha = (_loss("mse", head, _SHARES[head]) for head in ("zeta", "alpha"))
        expected = {
            **{"loss": zeta + alpha, "zeta_loss": zeta, "alpha_loss": alpha},
            **{f"{head}_mse": _metric("mse", head) for head in ("zeta", "alpha")},
            **{f"{head}_mae": _metric("mae", head, _SHARES[head]) for head in ("zeta", "alpha")},
        }
        yield f"weighted rows of a {words}", expected, matched(expected, tested(model, X, y, sample_weight=shares))
        yield (
            f"weighted rows of a {words} again",
            expected,
            matched(expected, trained(model, X, y, sample_weight=shares)),
        )
    if is_keras_3(keras):
        model = two_heads(keras, STRUCTURES["list"], weighted_metrics=[["mae"], ["mae"]])
        share = _SHARES["zeta"]
        zeta, alpha = (_loss("mse", head, share) for head in ("zeta", "alpha"))
        expected = {
            **{"loss": zeta + alpha, "zeta_loss": zeta, "alpha_loss": alpha},
            **{f"{head}_mae": _metric("mae", head, share) for head in ("zeta", "alpha")},
        }
        actual = tested(model, X, [_ZETA, _ALPHA], sample_weight=share)
        yield "one array of weights for both", expected, matched(expected, actual)


def metrics_of_unlike_heads(keras: Any, _: Path) -> Iterator[Seen]:
    """Two heads of unlike shapes: "accuracy" of each by its own labels."""
    x = keras.Input((3,))
    yes = keras.layers.Lambda(lambda rows: rows[:, :1], name="yes")(x)
    chosen = keras.layers.Lambda(lambda rows: rows, name="chosen")(x)
    rows = inputs([0.75, 0.125, 0.125], [0.25, 0.5, 0.25], [0.625, 0.125, 0.25], [0.125, 0.125, 0.75])
    labels, sure = np.array([[0], [1], [2], [2]]), inputs([1], [0], [0], [0])
    for words, outputs, y in (
        ("names", {"yes": yes, "chosen": chosen}, {"yes": sure, "chosen": labels}),
        ("a list", [yes, chosen], [sure, labels]),
        ("a list the other way", [chosen, yes], [labels, sure]),
    ):
        for given, metrics in (
            ("accuracy", {"chosen": ["accuracy"], "yes": ["accuracy"]}),
            ("acc", {"yes": "acc", "chosen": "acc"}),
        ):
            loss = {"yes": "binary_crossentropy", "chosen": "sparse_categorical_crossentropy"}
            model = compiled(keras, keras.Model(x, outputs), loss=loss, metrics=metrics)
            report = tested(model, rows, y)
            seen = {name: one for name, one in report.items() if name.endswith("acc" + "uracy"[: 5 * (given != "acc")])}
            expected = {f"yes_{given}": 0.75, f"chosen_{given}": 0.75}
            yield f"{given} of heads by {words}", expected, matched(expected, seen)
    one_hot = np.eye(3, dtype=np.float32)[labels[:, 0]]
    model = compiled(keras, keras.Model(x, [yes, chosen]), metrics=[["accuracy"], ["accuracy"]], loss=["mse", "mse"])
    report = tested(model, rows, [sure, one_hot])
    yield "accuracy of one-hot labels", 0.75, report["chosen_accuracy"]


def order_of_reports(keras: Any, _: Path) -> Iterator[Seen]:
    """Lists begin with the loss, then that of each output; names, where asked for, belong to the same numbers."""
    structure = STRUCTURES["list"]
    model = two_heads(keras, structure, metrics=[["mae"], ["mae"]])
    y = structure(_ZETA, _ALPHA)
    zeta, alpha = _loss("mse", "zeta"), _loss("mse", "alpha")
    for words, numbers in (
        ("test_on_batch", model.test_on_batch(X, y)),
        ("train_on_batch", model.train_on_batch(X, y)),
        ("evaluate", model.evaluate(X, y, batch_size=3, **QUIET)),
    ):
        expected = [zeta + alpha, zeta, alpha]
        yield f"losses of {words}", expected, matched(expected, [float(one) for one in numbers[:3]])
        rest = sorted([_metric("mae", "zeta"), _metric("mae", "alpha")])
        yield f"metrics of {words}", rest, matched(rest, sorted(float(one) for one in numbers[3:]))


def fits_of_heads(keras: Any, _: Path) -> Iterator[Seen]:
    """What ``fit`` notes of two outputs and of their validation, in a graph; lists of weights for both."""
    for words, structure in (("list", STRUCTURES["list"]), ("dict", STRUCTURES["dict"])):
        y, shares = structure(_ZETA, _ALPHA), structure(_SHARES["zeta"], _SHARES["alpha"])
        model = two_heads(
            keras,
            structure,
            loss={"zeta": "mse", "alpha": "mse"},
            loss_weights={"zeta": 2.0, "alpha": 1.0},
            metrics={"alpha": ["mae"]},
            weighted_metrics={"zeta": ["mae"]},
            run_eagerly=words == "list",
        )
        given = shares if is_keras_3(keras) or words == "dict" else list(shares)
        history = model.fit(
            X, y, batch_size=4, sample_weight=given, shuffle=False, validation_data=(X, y), **QUIET
        ).history
        zeta, alpha = (_loss("mse", head, _SHARES[head]) for head in ("zeta", "alpha"))
        expected = {
            **{"loss": [2 * zeta + alpha], "zeta_loss": [zeta], "alpha_loss": [alpha]},
            **{"alpha_mae": [_metric("mae", "alpha")], "zeta_mae": [_metric("mae", "zeta", _SHARES["zeta"])]},
        }
        zeta, alpha = (_loss("mse", head) for head in ("zeta", "alpha"))
        expected |= {
            **{"val_loss": [2 * zeta + alpha], "val_zeta_loss": [zeta], "val_alpha_loss": [alpha]},
            **{"val_alpha_mae": [_metric("mae", "alpha")], "val_zeta_mae": [_metric("mae", "zeta")]},
        }
        yield f"history of a {words}", expected, matched(expected, reported(history))
        outputs = values(model.predict(X, batch_size=3, **QUIET))
        right = values(structure(_OF_ZETA, _OF_ALPHA))
        yield f"predictions of a {words}", right, matched(right, outputs)
        yield f"predictions of a {words} on a batch", right, matched(right, values(model.predict_on_batch(X)))
        yield f"structure of a {words}", type(right).__name__, type(outputs).__name__


def losses_of_partial_batches(keras: Any, _: Path) -> Iterator[Seen]:
    """The loss of each output is the mean over the rows, also where the last batch has fewer."""
    zeta, alpha = _loss("mse", "zeta"), _loss("mse", "alpha")
    expected = {"loss": zeta + alpha, "zeta_loss": zeta, "alpha_loss": alpha}
    for eager in (True, False):
        model = two_heads(keras, STRUCTURES["list"], run_eagerly=eager)
        report = reported(model.evaluate(X, [_ZETA, _ALPHA], batch_size=3, return_dict=True, **QUIET))
        yield f"losses of batches of three and one, eager {eager}", expected, matched(expected, report)


def nested_outputs(keras: Any, _: Path) -> Iterator[Seen]:
    """Outputs that are nested deeper: targets, losses, metrics and predictions in the same structure."""
    if not is_keras_3(keras):
        return
    for words, structure in (
        ("dict in a list", lambda zeta, alpha: [zeta, {"k": alpha}]),
        ("tuples in a dict", lambda zeta, alpha: {"u": (zeta,), "c": (alpha,)}),
        ("lists in a tuple", lambda zeta, alpha: ([zeta], [alpha])),
    ):
        y = structure(_ZETA, _ALPHA)
        model = two_heads(keras, structure, loss=structure("mse", "mae"))
        zeta, alpha = _loss("mse", "zeta"), _loss("mae", "alpha")
        yield f"loss of a {words}", zeta + alpha, matched(zeta + alpha, tested(model, X, y)["loss"])
        right = values(structure(_OF_ZETA, _OF_ALPHA))
        yield f"predictions of a {words}", right, matched(right, values(model.predict_on_batch(X)))


def metrics_nested_as_outputs(keras: Any, _: Path) -> Iterator[Seen]:
    """Metrics "match the output structure of the model", however deep that is."""
    if Version(keras.__version__) < Version("3.14"):
        return
    yield from _nested_metrics(
        keras,
        {
            "tuples in a dict": lambda zeta, alpha: {"u": (zeta, zeta), "c": (alpha,)},
            "lists in a tuple": lambda zeta, alpha: ([zeta, zeta], [alpha]),
        },
    )


def metrics_nested_by_ones(keras: Any, _: Path) -> Iterator[Seen]:
    """The same where the outermost list has as many members as there are outputs, so that each holds one."""
    if Version(keras.__version__) < Version("3.14"):
        return
    yield from _nested_metrics(
        keras,
        {
            "dict in a list": lambda zeta, alpha: [zeta, {"k": alpha}],
            "lists in a tuple": lambda zeta, alpha: ([zeta], [alpha]),
        },
    )


def _nested_metrics(keras: Any, structures: Mapping[str, Callable[[Any, Any], Any]]) -> Iterator[Seen]:
    for words, structure in structures.items():
        model = two_heads(keras, structure, metrics=structure(["mae"], ["mse"]))
        report = tested(model, X, structure(_ZETA, _ALPHA))
        metrics = sorted(one for name, one in report.items() if name.endswith(("mae", "mse", "mae_1")))
        zetas = str(structure("zeta", "alpha")).count("zeta")
        expected = sorted([_metric("mae", "zeta")] * zetas + [_metric("mse", "alpha")])
        yield f"metrics of {words}", expected, matched(expected, metrics)


def shared_outputs(keras: Any, _: Path) -> Iterator[Seen]:
    """One layer called on two inputs is two outputs; the same tensor may be two outputs."""
    if not is_keras_3(keras):
        return
    first, second = keras.Input((3,)), keras.Input((3,))
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="both")
    model = compiled(keras, keras.Model([first, second], [layer(first), layer(second)]))
    expected = mean_loss(errors("mse", _ZETA, _OF_ZETA)) + mean_loss(errors("mse", _ZETA, 2 * _OF_ZETA))
    report = tested(model, [X, 2 * X], [_ZETA, _ZETA])
    yield "loss of one layer on two inputs", expected, matched(expected, report["loss"])


def single_names(keras: Any, _: Path) -> Iterator[Seen]:
    """A model of one output reports without its name, however it is nested; its loss and metrics by name or list."""
    x = keras.Input((3,))
    head = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", name="zeta")(x)
    mse, mae = _loss("mse", "zeta"), _metric("mae", "zeta")
    for words, output, loss, metrics, y in (
        ("a tensor", head, "mse", ["mae"], _ZETA),
        ("a tensor with lists", head, ["mse"], [["mae"]], _ZETA),
        ("a tensor with names", head, {"zeta": "mse"}, {"zeta": ["mae"]}, _ZETA),
        ("a list", [head], ["mse"], ["mae"], [_ZETA]),
        ("a dict", {"zeta": head}, {"zeta": "mse"}, {"zeta": "mae"}, {"zeta": _ZETA}),
    ):
        if not is_keras_3(keras) and words == "a dict":
            continue
        report = tested(compiled(keras, keras.Model(x, output), loss=loss, metrics=metrics), X, y)
        expected = {"loss": mse, "mae": mae}
        yield f"reports of {words}", expected, matched(expected, report)


def refused_heads(keras: Any, _: Path) -> Iterator[Seen]:
    """Names that there are not, and too many or too few of a list, are refused."""
    y = [_ZETA, _ALPHA]
    for words, options in (
        ("a loss of an unknown output", {"loss": {"zeta": "mse", "beta": "mse"}}),
        ("three losses", {"loss": ["mse", "mse", "mse"]}),
        ("metrics of an unknown output", {"metrics": {"beta": ["mae"]}}),
        ("three lists of metrics", {"metrics": [["mae"], ["mae"], ["mae"]]}),
        ("one metric without its output", {"metrics": ["mae"]}),
        ("metrics that are a name", {"metrics": "mae"}),
    ):
        if words not in ("a loss of an unknown output", "metrics of an unknown output") and not is_keras_3(keras):
            continue
        action = lambda options=options: tested(two_heads(keras, STRUCTURES["list"], **options), X, y)  # noqa: E731
        yield f"whether {words} raise", True, bool(refusal(action))
    yield (
        "whether one target of two raises",
        True,
        bool(refusal(tested, two_heads(keras, STRUCTURES["list"]), X, [_ZETA])),
    )


SEVERAL_OUTPUTS: Mapping[str, Row] = table(
    losses_of_heads,
    weights_of_losses,
    weights_of_one_loss,
    steps_of_heads,
    outputs_without_a_loss,
    metrics_of_heads,
    targets_by_name,
    weighted_metrics_of_heads,
    metrics_of_unlike_heads,
    order_of_reports,
    fits_of_heads,
    losses_of_partial_batches,
    nested_outputs,
    metrics_nested_as_outputs,
    metrics_nested_by_ones,
    shared_outputs,
    single_names,
    refused_heads,
)
