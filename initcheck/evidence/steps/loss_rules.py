"""What is documented of losses in general: masks, weights, ignored classes, structures, own classes, refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from packaging.version import Version

from initcheck.catalog.cases.loss_cases import LOSS_CASES, LossCase
from initcheck.evidence.composition.promises import Row, Seen, inputs, is_keras_3, keeps_doubles, refusal, table
from initcheck.evidence.steps.judged_examples import examples, supports
from initcheck.evidence.toy_data import pipeline
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, dtype_name
from initcheck.frameworks.differentiation import gradients
from initcheck.frameworks.floatx import dtype_policy, floatx
from initcheck.oracle.loss_formulas import LOSS_FORMULAS
from initcheck.oracle.rounding import Rounded

_SUMS = ("sum", "sum_over_batch_size", "none")
_BY_WEIGHT = "mean_with_sample_weight"


def _reductions(keras: Any) -> tuple[str, ...]:
    return (*_SUMS, "mean", _BY_WEIGHT) if Version(keras.__version__) >= Version("3.7") else _SUMS


def masked_outputs(keras: Any, _: Path) -> Iterator[Seen]:
    """Steps that a mask hides count neither in the sum nor among those of the mean."""
    x = inputs([[1], [2], [0]], [[4], [0], [0]])
    y, mask = np.zeros((2, 3, 1), np.float32), x[..., 0] != 0
    share = inputs([0.5, 2, 8], [1, 8, 8])
    squares = np.square(x[..., 0])
    p = keras.layers.Masking()(x)
    for words, weights in (("", None), (" with weights", share)):
        total = Rounded(squares * mask * (1 if weights is None else share)).sum()
        right = {
            "sum": total,
            "sum_over_batch_size": total / mask.sum(),
            "mean": total / mask.sum(),
            _BY_WEIGHT: total / (mask if weights is None else mask * share).sum(),
        }
        for reduction in _reductions(keras):
            loss = keras.losses.MeanSquaredError(reduction=reduction)(y, p, weights)
            if reduction == "none":
                continue
            yield f"{reduction} of masked steps{words}", right[reduction], loss
        if is_keras_3(keras):
            loss = keras.losses.MeanSquaredError(reduction="none")(y, p, weights)
            yield f"masked steps{words}", [0.0] * 3, as_array(loss)[~mask].tolist()
    hidden = keras.layers.Masking()(np.zeros((2, 3, 1), np.float32))
    if is_keras_3(keras):
        yield "mean where all is masked", 0.0, float(keras.losses.MeanSquaredError()(y + 1, hidden))
    if Version(keras.__version__) >= Version("3.13"):  # until then, epsilon was added to the number
        kept = keras.layers.Masking(dtype="float64")(np.array([[[1.0], [2.0], [4.0], [0.0], [0.0]]]))
        exact = float(keras.losses.MeanSquaredError(dtype="float64")(np.zeros((1, 5, 1)), kept))
        yield "whether a masked mean in double precision is exact", True, abs(exact - 7) < 1e-14
    column = keras.losses.MeanSquaredError(reduction="sum")(y, p, inputs([[1], [0], [1]], [[0.5], [1], [1]]))
    yield "sum of masked steps with a column of weights", Rounded(1.0 + 8.0), column


def ignored_classes(keras: Any, _: Path) -> Iterator[Seen]:
    """A class that is ignored counts neither in the sum nor among those of the mean."""
    y, p = examples("classes", "numbers", (6, 4))
    for ignored in (0, 2, -1, 255):
        labels = y.copy()
        if ignored not in range(4):
            labels[[1, 4]] = ignored
        counts = labels != ignored
        each = LOSS_FORMULAS["sparse_categorical_crossentropy"](labels, Rounded(p), True, ignored)
        for shape in ((6,), (2, 3)):
            given = labels.reshape(shape), p.reshape(*shape, 4)
            rows = Rounded(each.value.reshape(shape), each.error.reshape(shape))
            make = keras.losses.SparseCategoricalCrossentropy
            loss = make(from_logits=True, ignore_class=ignored, reduction="none")(*given)
            yield f"each loss in {shape} without class {ignored}", rows, loss
            if Version(keras.__version__) >= Version("3.4"):
                column = make(from_logits=True, ignore_class=ignored, reduction="none")(given[0][..., None], given[1])
                yield f"each loss of columns in {shape} without class {ignored}", rows, column
            if not is_keras_3(keras):
                continue
            mean = make(from_logits=True, ignore_class=ignored)
            yield f"mean in {shape} without class {ignored}", each.sum() / float(counts.sum()), mean(*given)
            weights = np.resize(inputs(0.5, 2, 1, 4), shape)
            weighted = (each * weights.ravel().astype(float)).sum()
            yield (
                f"weighted mean in {shape} without class {ignored}",
                weighted / float(counts.sum()),
                mean(*given, weights),
            )
            if _BY_WEIGHT in _reductions(keras):
                by_weight = make(from_logits=True, ignore_class=ignored, reduction=_BY_WEIGHT)
                total = float((weights.ravel() * counts).sum())
                yield f"mean by weight in {shape} without class {ignored}", weighted / total, by_weight(*given, weights)
        chances = np.exp(p) / np.exp(p).sum(axis=-1, keepdims=True)
        function = keras.losses.sparse_categorical_crossentropy(
            labels, chances.astype(np.float32), ignore_class=ignored
        )
        sure = LOSS_FORMULAS["sparse_categorical_crossentropy"](
            labels, Rounded(chances.astype(np.float32)), False, ignored
        )
        yield f"function without class {ignored}", sure, function
    if is_keras_3(keras):
        none = keras.losses.SparseCategoricalCrossentropy(ignore_class=1)(np.ones(2), inputs([0.5, 0.5], [0.25, 0.75]))
        yield "mean where all are ignored", 0.0, float(none)


def ignored_and_masked(keras: Any, _: Path) -> Iterator[Seen]:
    """A step counts where neither the mask hides it nor its class is ignored."""
    if not is_keras_3(keras):
        return
    x = inputs([[0.5, 0.5], [0.25, 0.75], [0, 0]], [[0.125, 0.875], [0.75, 0.25], [0, 0]])
    y = inputs([0, 1, 1], [1, 0, 0])
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=1)(y, keras.layers.Masking()(x))
    yield "mean of two steps", Rounded(-(np.log(0.5) + np.log(0.75)) / 2, 1e-6), loss


def classes_along_another_axis(keras: Any, _: Path) -> Iterator[Seen]:
    """Classes by number may lie along another axis, as those of the other losses."""
    y, p = examples("classes", "shares", (2, 3, 4), 1)
    right = LOSS_FORMULAS["sparse_categorical_crossentropy"](y, Rounded(p), axis=1)
    yield "each loss", right, keras.losses.sparse_categorical_crossentropy(y, p, axis=1)


def ignored_outputs_that_are_no_numbers(keras: Any, _: Path) -> Iterator[Seen]:
    """What is put out for a class to ignore counts nowhere, were it no number; nor has it a gradient."""
    p = inputs([0.0, 0.0], [np.nan, np.nan], [np.inf, 0.0])
    judged = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)

    def loss(outputs: Any) -> Any:
        return judged(inputs(0, 1, 1), outputs)

    yield "mean of one", Rounded(np.log(2.0), 1e-6), as_array(loss(as_tensor(p)))
    (slopes,) = gradients(None, [as_tensor(p)], lambda outputs: (loss(outputs), None)).by_tensors
    yield "gradient", [[-0.5, 0.5], [0.0, 0.0], [0.0, 0.0]], np.asarray(slopes).tolist()


def weights_without_weight(keras: Any, _: Path) -> Iterator[Seen]:
    """Where all weights are zero, so is the loss."""
    y, p = examples("numbers", "numbers", (6, 4))
    for reduction in _reductions(keras):
        loss = keras.losses.MeanAbsoluteError(reduction=reduction)(y, p, np.zeros(6, np.float32))
        yield f"{reduction} without weight", [0.0] * (6 if reduction == "none" else 1), np.atleast_1d(loss).tolist()
    single = keras.losses.MeanAbsoluteError(reduction="sum")(y, p, 0.5)
    yield "one weight for all", LOSS_FORMULAS["mean_absolute_error"](y, Rounded(p)).sum() * 0.5, single


def weights_of_sequences(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights of the samples alone weigh all steps of a sample, as ``fit`` documents of an array of one axis."""
    for steps in (2, 3):
        y, p = np.zeros((2, steps, 1), np.float32), np.ones((2, steps, 1), np.float32)
        p[1] = 2
        model = keras.Sequential([keras.Input((steps, 1)), keras.layers.Activation("linear")])
        model.compile(keras.optimizers.SGD(), "mse", run_eagerly=True)
        share = inputs(1, 0.5)
        refused = refusal(model.test_on_batch, p, y, share)
        yield f"refused for {steps} steps", "", refused
        if not refused:
            yield f"loss of {steps} steps", 1.5, float(np.ravel(model.test_on_batch(p, y, share))[0])


def weights_of_steps(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights of samples and steps weigh each, a column of them each sample's steps."""
    y, p = examples("numbers", "numbers", (2, 3, 4))
    each = LOSS_FORMULAS["mean_squared_error"](y.astype(float), Rounded(p))
    for words, share in (("each step", inputs([1, 0, 2], [0.5, 4, 1])), ("each sample", inputs([0.5], [2]))):
        loss = keras.losses.MeanSquaredError()(y, p, share)
        yield f"mean with weights of {words}", (each * share.astype(float)).sum() / 6.0, loss
        rows = keras.losses.MeanSquaredError(reduction="none")(y, p, share)
        yield f"losses with weights of {words}", each * share.astype(float), rows


def limits(keras: Any, _: Path) -> Iterator[Seen]:
    """Vectors of zeros, errors and logits that are large, targets and shares of zero, outputs below zero."""
    kinds = keras.losses
    zero = np.zeros((1, 3), np.float32)
    yield "cosine of zeros", 0.0, float(kinds.CosineSimilarity()(zero, zero + 1))
    yield "cosine of itself", Rounded(-1.0, 2e-7), kinds.CosineSimilarity()(zero + 2, zero + 3)
    for error in (1e3, -1e3, 1e6):
        each = Rounded(np.full(3, abs(error))) - np.log(2)
        yield f"logarithm of cosh {error}", each.sum() / 3.0, kinds.LogCosh()(zero, zero + error)
    shares = inputs([0, 0.25, 0.75])
    yield "divergence where targets are zero", Rounded(0.0, 2e-6), kinds.KLDivergence()(shares, shares)
    yield (
        "divergence where outputs are zero",
        True,
        bool(np.isfinite(float(kinds.KLDivergence()(shares[:, ::-1], shares)))),
    )
    yield "percentage of zero", Rounded(100.0) / 1e-7, kinds.MeanAbsolutePercentageError()(zero, zero + 1)
    logarithmic = kinds.MeanSquaredLogarithmicError()(zero + 1, zero - 3)
    yield "logarithm of outputs below zero", Rounded(np.log(2.0) ** 2, 4e-7), logarithmic
    yield "poisson of nothing", 0.0, float(kinds.Poisson()(zero, zero))
    for sign in (1, -1):
        logits = inputs([200 * sign, -200 * sign])
        right = 0.0 if sign == 1 else 200.0
        yield (
            f"binary logits {200 * sign}",
            right,
            float(kinds.BinaryCrossentropy(from_logits=True)(inputs([1, 0]), logits)),
        )
        loss = kinds.CategoricalCrossentropy(from_logits=True)(inputs([1, 0]), logits)
        yield f"logits {200 * sign}", 2 * right, float(loss)
        yield (
            f"squared hinge of {200 * sign}",
            (201.0**2) * (sign < 0),
            float(kinds.SquaredHinge()(inputs([1, 0]), logits)),
        )
    wide = kinds.BinaryCrossentropy(from_logits=True, label_smoothing=1.0)(inputs([1, 0]), inputs([0, 0]))
    yield "all smoothed", np.log(Rounded(2.0)), wide


def losses_of_structures(keras: Any, _: Path) -> Iterator[Seen]:
    """A user's loss is given the structure of targets and outputs, all in the loss's dtype."""
    if Version(keras.__version__) < Version("3.7"):
        return
    seen: list[Any] = []

    class OfPairs(keras.losses.Loss):  # type: ignore[misc] # Keras is loaded at run time
        """Adds up the differences of two outputs."""

        def call(self, y_true: Any, y_pred: Any) -> Any:
            seen.append((sorted(y_pred), dtype_name(y_true["b"]), dtype_name(y_pred["a"])))
            return y_pred["a"] - y_true["a"] + 10 * (y_pred["b"] - y_true["b"])

    y, p = ({"b": np.ones(2, int), "a": np.zeros(2, int)}, {"a": inputs(1, 2), "b": inputs(3, 5)})
    yield "mean", 31.5, float(OfPairs()(y, p))
    yield "what it is given", (["a", "b"], "float32", "float32"), seen[0]
    yield "weighted sum", 21.0, float(OfPairs(reduction="sum")(y, p, inputs(1, 0)))


def functions_of_structures(keras: Any, _: Path) -> Iterator[Seen]:
    """A function that ``compile`` is given for several outputs is called with all of them, labels as columns."""
    if Version(keras.__version__) < Version("3.7"):
        return
    x = keras.Input((1,))
    one, two, three = (keras.layers.Rescaling(float(scale))(x) for scale in (1, 2, 3))
    model = keras.Model(x, {"pair": [one, two], "other": three})

    def of_pairs(y: Any, p: Any) -> Any:
        return (abs(y[0] - p[0]) + 10 * abs(y[1] - p[1]))[..., 0]

    model.compile(keras.optimizers.SGD(), {"pair": of_pairs, "other": "mse"}, run_eagerly=True)
    rows = inputs([1], [2])
    logs = model.test_on_batch(rows, {"pair": [rows[:, 0], rows], "other": rows}, return_dict=True)
    yield (
        "losses",
        {"loss": 25.0, "pair_loss": 15.0, "other_loss": 10.0},
        {name: float(one) for name, one in logs.items()},
    )


def own_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """A user's loss has ``call`` for each sample; the base class reduces, weighs, casts and names."""

    class OwnLoss(keras.losses.Loss):  # type: ignore[misc] # Keras is loaded at run time
        """Differences, doubled."""

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return 2 * (y_pred - y_true)

    y, p = np.array([1, 2]), inputs(2, 5)
    if is_keras_3(keras):
        yield "mean", 4.0, float(OwnLoss()(y, p))
        yield "name", "own_loss", OwnLoss().name[:8]
        yield "configuration", {"name": "other", "reduction": "sum"}, OwnLoss("other", "sum").get_config()
        if keeps_doubles():
            yield "type", "float64", as_array(OwnLoss(dtype="float64")(y, p)).dtype.name
        yield "weighted mean", 1.0, float(OwnLoss()(y, p, inputs(1, 0)))
    again = OwnLoss.from_config(OwnLoss(reduction="sum", name="other").get_config())
    yield "sum of a rebuilt one", 8.0, float(again(y.astype(np.float32), p))
    yield "name of a rebuilt one", "other", again.name


def _named(keras: Any) -> Iterator[tuple[LossCase, Any, Rounded]]:
    """Cases by default that have names, with their targets and outputs, and each sample's loss."""
    for case in LOSS_CASES:
        if hasattr(keras.losses, case.name) and not case.label and case.named:
            data = examples(case.targets, case.outputs, case.shape)
            yield case, data, LOSS_FORMULAS[case.function](data[0].astype(float), Rounded(data[1]))


def functions_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """The strings of functions and abbreviations stand for what gives each sample's loss."""
    for case, data, each in _named(keras):
        for name in (case.function, *case.names) if hasattr(keras.losses, case.function) else ():
            yield f"loss called {name}", each, keras.losses.get(name)(*data)


def classes_by_name(keras: Any, _: Path) -> Iterator[Seen]:
    """The strings of classes stand for objects with their defaults; an object has the name that it is given."""
    for case, data, each in _named(keras):
        if is_keras_3(keras):
            yield f"loss called {case.name}", each.sum() / float(each.value.size), keras.losses.get(case.name)(*data)
        yield f"name of a {case.name}", "other", getattr(keras.losses, case.name)(name="other").name


def identifiers(keras: Any, _: Path) -> Iterator[Seen]:
    """``get`` returns functions by their names, objects as they are and of their configuration, and nothing of None."""
    kinds = keras.losses
    loss = kinds.BinaryCrossentropy(label_smoothing=0.25, reduction="sum", name="other")
    yield "nothing", True, kinds.get(None) is None
    yield "an object", True, kinds.get(loss) is loss
    yield "a function", True, kinds.get(kinds.hinge) is kinds.hinge
    again = kinds.get(kinds.serialize(loss))
    yield "of a configuration", ["BinaryCrossentropy", loss.get_config()], [type(again).__name__, again.get_config()]
    yield "raised for an unknown name", "ValueError", refusal(kinds.get, "no_loss")
    yield "raised for a number", "ValueError", refusal(kinds.get, 3)
    if Version(keras.__version__) >= Version("3.3"):
        yield "a class", "Hinge", type(kinds.get(kinds.Hinge)).__name__
    if is_keras_3(keras):
        yield "names of functions", "mean_squared_error", kinds.get("mse").__name__


def refused_options(keras: Any, _: Path) -> Iterator[Seen]:
    """Reductions and options that are not documented raise."""
    kinds = keras.losses
    yield "raised for another reduction", "ValueError", refusal(lambda: kinds.Hinge(reduction="median"))
    if not is_keras_3(keras):
        return
    one = np.ones((2, 3), np.float32)
    yield (
        "raised for a flag as axis",
        "ValueError",
        refusal(lambda: kinds.categorical_crossentropy(one, one, axis=True)),
    )
    if generalized := getattr(kinds, "CategoricalGeneralizedCrossEntropy", None):
        for q in (0.0, 1.0, -0.5):
            yield f"raised for q={q}", "ValueError", refusal(generalized, q)
    if ctc := getattr(kinds, "ctc", None):
        yield "raised for labels of one axis", "ValueError", refusal(ctc, one[0], one[None])
        yield "raised for outputs of two axes", "ValueError", refusal(ctc, one, one)


def types_of_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """A loss computes in its ``dtype``: a policy's compute dtype, or ``floatx`` by default."""
    kind = keras.losses.MeanSquaredError
    if not supports(kind, {"dtype": ""}):
        return
    y, p = examples("numbers", "numbers", (6, 4))
    policy = keras.mixed_precision.DTypePolicy if hasattr(keras, "mixed_precision") else keras.DTypePolicy
    yield "type by a policy", "float16", as_array(kind(dtype=policy("mixed_float16"))(y, p)).dtype.name
    if not keeps_doubles():
        return
    with floatx(keras, "float64"):
        yield "type by default", "float64", as_array(kind()(y, p)).dtype.name
    exact = np.square(p.astype(float) - y.astype(float)).mean()
    yield "whether doubles are exact", True, abs(float(kind(dtype="float64")(y, p)) - exact) < 1e-14
    weighed = kind(dtype="float64")(y, p, np.full(len(y), 0.1))
    yield "whether weights in double precision are", True, abs(float(weighed) - 0.1 * exact) < 1e-14


def embeddings_beside_others(keras: Any, _: Path) -> Iterator[Seen]:
    """``circle`` compares embeddings with references of its own, none of which is the diagonal."""
    if (circle := getattr(keras.losses, "circle", None)) is None:
        return
    y, p = examples("labels", "units", (6, 4))
    others = examples("labels", "units", (6, 4), stream=5)[1]
    both, labels = np.concatenate([p, others]), np.concatenate([y, y])
    given = {"ref_labels": y, "ref_embeddings": others, "remove_diagonal": False, "gamma": 4.0}
    right = []
    for row in range(6):  # alone among the references
        kept = [row, *range(6, 12)]
        right.append(LOSS_FORMULAS["circle"](labels[kept], Rounded(both[kept]), gamma=4.0)[0])
    expected = Rounded([one.value for one in right], [one.error for one in right])
    yield "each loss beside references", expected, circle(y, p, **given)


def types_under_policies(keras: Any, _: Path) -> Iterator[Seen]:
    """Under a global policy of half precision, and of outputs in it, losses stay in ``floatx``."""
    if not is_keras_3(keras):
        return
    y, p = examples("bits", "chances", (6, 4))
    half = p.astype("float16")
    each = LOSS_FORMULAS["binary_crossentropy"](y, Rounded(half.astype(float)))
    with dtype_policy(keras, "mixed_float16"):
        loss = keras.losses.BinaryCrossentropy(reduction="none")(y, half)
    yield "type under a policy", "float32", as_array(loss).dtype.name
    yield "each loss under a policy", each, loss


def types_of_weights(keras: Any, _: Path) -> Iterator[Seen]:
    """Weights may be whole numbers, flags, doubles or a list; flags are zero and one."""
    y, p = examples("numbers", "numbers", (6, 4))
    each = LOSS_FORMULAS["mean_absolute_error"](y.astype(float), Rounded(p))
    whole = np.array([1, 0, 2, 1, 3, 0])
    given: list[Any] = [whole, whole.astype("uint8"), whole > 0, whole.astype(float), whole.tolist()]
    for shares in given:
        words = getattr(shares, "dtype", "a list")
        right = (each * as_array(shares).astype(float)).sum() / 6.0
        if is_keras_3(keras) or words in ("a list", "float64"):
            yield f"mean with weights in {words}", right, keras.losses.MeanAbsoluteError()(y, p, shares)


def compiled_losses(keras: Any, _: Path) -> Iterator[Seen]:
    """What ``evaluate`` reports in a graph, weighted and not."""
    y, p = examples("classes", "numbers", (6, 4))
    each = LOSS_FORMULAS["sparse_categorical_crossentropy"](y, Rounded(p), True)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Activation("linear")])
    model.compile(keras.optimizers.SGD(), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    share = inputs(1, 0.5, 2, 0, 4, 1)
    for words, weights in (("", ()), ("weighted ", (share,))):
        right = each * share.astype(float) if weights else each
        reported = model.evaluate(pipeline(p, y, *weights, size=3), verbose=0)
        yield f"{words}loss", right.sum() / 6.0, np.ravel(reported)[0]
    x, y = examples("signs", "numbers", (6, 4))
    model.compile(keras.optimizers.SGD(), "squared_hinge")
    yield (
        "loss by name",
        LOSS_FORMULAS["squared_hinge"](x, Rounded(y)).sum() / 6.0,
        model.evaluate(pipeline(y, x), verbose=0),
    )


LOSS_RULES: Mapping[str, Row] = table(
    masked_outputs,
    ignored_classes,
    classes_along_another_axis,
    ignored_outputs_that_are_no_numbers,
    ignored_and_masked,
    weights_without_weight,
    weights_of_sequences,
    weights_of_steps,
    limits,
    losses_of_structures,
    functions_of_structures,
    own_losses,
    functions_by_name,
    classes_by_name,
    identifiers,
    refused_options,
    types_of_losses,
    embeddings_beside_others,
    types_under_policies,
    types_of_weights,
    compiled_losses,
)
