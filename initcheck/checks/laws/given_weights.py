"""A layer's first weights, held against what the initializers that it was given return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from initcheck.catalog.cases import layers as layer_cases
from initcheck.catalog.initializers import Initializer
from initcheck.checks.registry import NotApplicable, Subject, check
from initcheck.records import Verdict, failed, passed

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from initcheck.catalog.initializers import INITIALIZERS
from initcheck.catalog.laws import VarianceScaled
from initcheck.catalog.layers import LayerRequest

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab

_GIVEN = ("he_normal", "random_uniform", "lecun_uniform", "constant")
_ROW, _STEPS = ((1, 6),), ((1, 3, 6),)
_IMAGE = ((1, 8, 8, 3),)
_LSTM: dict[str, Any] = {"units": 5}
_CONV_LSTM: dict[str, Any] = {"filters": 4, "kernel_size": (2, 2)}


@dataclass(frozen=True)
class GivenCase:
    """A layer, and those of its initializer arguments that decide a weight.

    Attributes:
        request: The layer.
        places: Argument → the place of its weight.
        forced: Place of a bias whose second quarter, an LSTM's forget gate, is 1 whatever the initializer, if any.
        by_shape: Whether the fans are those of the weight's shape, so that an initializer that is told the shape alone
            knows them; an einsum kernel's are told to the layer's own copy of the initializer since Keras 3.15.
    """

    request: LayerRequest
    places: tuple[tuple[str, int], ...]
    forced: int | None = None
    by_shape: bool = True

    def names(self, argument: str) -> Iterator[str]:
        """The catalogue's rows that can be given by that argument."""
        place = dict(self.places)[argument]
        for name in _GIVEN:
            scaled = isinstance(INITIALIZERS[name].law, VarianceScaled)
            # Nobody says whether a bias with a forced part is drawn whole or by parts: constants are alike.
            if (self.by_shape or not scaled) and (name == "constant" or place != self.forced):
                yield name


def _gated(request: LayerRequest, forced: int | None = None) -> GivenCase:
    places = (("kernel_initializer", 0), ("recurrent_initializer", 1), ("bias_initializer", 2))
    return GivenCase(request, places, forced)


def _kernel(layer: str, inputs: Any, argument: str = "kernel_initializer", **options: Any) -> GivenCase:
    biased = (("bias_initializer", 1),) if argument == "kernel_initializer" else ()
    return GivenCase(LayerRequest(layer, options, inputs), ((argument, 0), *biased))


# Options that the documentation does not let change the first weights, and the two that it lets decide a bias.
OPTIONS: Mapping[str, GivenCase] = {
    "embedding,masked": _kernel("Embedding", ((1, 2),), "embeddings_initializer", input_dim=9, output_dim=7,
                                mask_zero=True),
    "dense,activated": _kernel("Dense", _ROW, units=7, activation="relu"),
    "dense,regularized": _kernel("Dense", _ROW, units=7, kernel_regularizer="l2", bias_regularizer="l1"),
    "dense,constrained": _kernel("Dense", _ROW, units=7, kernel_constraint="max_norm"),
    "conv2d,strided": _kernel("Conv2D", _IMAGE, filters=5, kernel_size=(3, 2), strides=2, activation="tanh"),
    "conv2d,dilated": _kernel("Conv2D", _IMAGE, filters=5, kernel_size=(3, 2), dilation_rate=2, padding="same"),
    "conv2d_transpose,strided": _kernel("Conv2DTranspose", _IMAGE, filters=5, kernel_size=(3, 2), strides=2),
    "simple_rnn,backwards": _gated(LayerRequest("SimpleRNN", {"units": 5, "go_backwards": True}, _STEPS)),
    "gru,reset_before": _gated(LayerRequest("GRU", {"units": 5, "reset_after": False}, _STEPS)),
    "gru,sequences": _gated(LayerRequest("GRU", {"units": 5, "return_sequences": True, "dropout": 0.2}, _STEPS)),
    "lstm,forget_gate": _gated(LayerRequest("LSTM", _LSTM, _STEPS), 2),
    "lstm,no_forget_bias": _gated(LayerRequest("LSTM", {**_LSTM, "unit_forget_bias": False}, _STEPS)),
    "lstm,backwards": _gated(LayerRequest("LSTM", {**_LSTM, "go_backwards": True, "unroll": True}, _STEPS), 2),
    "conv_lstm2d,forget_gate": _gated(LayerRequest("ConvLSTM2D", _CONV_LSTM, ((1, 2, 5, 5, 3),)), 2),
    "conv_lstm2d,no_forget_bias": _gated(
        LayerRequest("ConvLSTM2D", {**_CONV_LSTM, "unit_forget_bias": False}, ((1, 2, 5, 5, 3),))
    ),
    "batch_normalization": GivenCase(
        LayerRequest("BatchNormalization", {}, _ROW),
        (("gamma_initializer", 0), ("beta_initializer", 1), ("moving_mean_initializer", 2),
         ("moving_variance_initializer", 3)),
    ),
    "layer_normalization": GivenCase(
        LayerRequest("LayerNormalization", {}, _ROW), (("gamma_initializer", 0), ("beta_initializer", 1))
    ),
    "prelu": GivenCase(LayerRequest("PReLU", {}, _ROW), (("alpha_initializer", 0),)),
    "attention,biases": GivenCase(
        LayerRequest("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, _STEPS * 2),
        tuple(("bias_initializer", place) for place in (1, 3, 5, 7)),
        by_shape=False,
    ),
}  # fmt: skip


def _of_kind(kind: str) -> GivenCase:
    case = layer_cases.layer_cases(kind, 1000)[0]
    by_equation = "einsum" in kind or "attention" in kind
    by_shape = not by_equation or (kind, "fan_out") not in layer_cases.QUIRKS
    return GivenCase(case.request, tuple(layer_cases.arguments_of(kind, case)), by_shape=by_shape)


SUBJECTS = (*layer_cases.KINDS, *OPTIONS)

# One layer of each sort that makes its weights in its own way, for the dtypes.
TYPED: Mapping[str, GivenCase] = {
    "dense": _kernel("Dense", _ROW, units=7),
    "conv2d": _kernel("Conv2D", _IMAGE, filters=5, kernel_size=(3, 2)),
    "depthwise": _kernel("DepthwiseConv2D", _IMAGE, "depthwise_initializer", kernel_size=(3, 2)),
    "embedding": _kernel("Embedding", ((1, 2),), "embeddings_initializer", input_dim=9, output_dim=7),
    "einsum": _kernel("EinsumDense", _ROW, equation="ab,bc->ac", output_shape=7, bias_axes="c"),
    "lstm": _gated(LayerRequest("LSTM", _LSTM, _STEPS), 2),
    "gru": _gated(LayerRequest("GRU", {"units": 5}, _STEPS)),
}

# The dtype of the variables under each policy: https://keras.io/api/mixed_precision/policy/ ("mixed_float16: compute
# dtype float16, variable dtype float32").
POLICIES: Mapping[str, str] = {
    "float32": "float32",
    "float64": "float64",
    "float16": "float16",
    "bfloat16": "bfloat16",
    "mixed_float16": "float32",
    "mixed_bfloat16": "float32",
}


@check(
    "LAW14",
    "A layer's first weights are what the initializer it was given returns for their shape.",
    subjects=[Subject(name, name) for name in SUBJECTS],
)
def layers_use_their_initializers(lab: Lab, name: str) -> Verdict:
    """Every argument of one layer, under every initializer that it can be given.

    Bit for bit: an initializer with an integer seed returns the same values at every call (documented).
    """
    case = OPTIONS[name] if name in OPTIONS else _of_kind(name)
    if not lab.draws.layers.offers(case.request.layer):
        raise NotApplicable(f"the installed Keras has no {case.request.layer}")
    problem = _problem(lab, name, case, None)
    if problem:
        return failed(f"{name}: {problem}", "the same bits")
    return passed(f"{name}: {case.request.layer}'s weights are its initializers' draws")


@check(
    "LAW18",
    "A layer's weights have the dtype that its dtype policy states, and are its initializers' draws in that dtype.",
    subjects=[Subject(policy, policy) for policy in POLICIES],
)
def layer_dtypes(lab: Lab, policy: str) -> Verdict:
    """Every layer of ``TYPED`` under one dtype policy.

    Bit for bit; doubles that are cast floats differ, and mixed precision keeps its variables in float32.
    """
    for name, case in TYPED.items():
        request = LayerRequest(case.request.layer, {**case.request.arguments, "dtype": policy}, case.request.inputs)
        problem = _problem(lab, f"{policy} {name}", GivenCase(request, case.places, case.forced), POLICIES[policy])
        if problem:
            return failed(f"dtype={policy}: {problem}", f"its initializer's draw in {POLICIES[policy]}, bit for bit")
    return passed(f"{policy}: {len(TYPED)} layers have {POLICIES[policy]} weights, as drawn")


def _problem(lab: Lab, name: str, case: GivenCase, dtype: str | None) -> str:
    """What is wrong with the layer's weights, or nothing."""
    for argument, place in case.places:
        names = list(case.names(argument))
        for given in names[:1] if dtype else names:  # a dtype is lost under one initializer as under another
            rows = {one: (INITIALIZERS["random_uniform"], 1) for one, _ in case.places}
            row, seed = INITIALIZERS[given], lab.stream("laws", "given", name, argument, given)
            weights = lab.draws.layers.weights(case.request, {**rows, argument: (row, seed)})
            if dtype and any(str(values.dtype) != dtype for values in weights):
                return f"{case.request.layer} has weights of {', '.join(str(values.dtype) for values in weights)}"
            made, drawn = weights[place], _drawn(lab, row, weights[place].shape, seed, dtype)
            if place == case.forced:
                made, drawn = _free(made), _free(drawn)
            if not np.array_equal(made, drawn):
                return f"{case.request.layer}({argument}={given}): weight {place} is not what {given} returns"
    return ""


def _drawn(lab: Lab, row: Initializer, shape: tuple[int, ...], seed: int, dtype: str | None) -> np.ndarray:
    return np.asarray(lab.draws.draw(row, shape, seed=seed, dtype=dtype))


def _free(bias: np.ndarray) -> np.ndarray:
    """The bias but for its forget gate; the gates' order is input, forget, cell, output."""
    return np.delete(bias, np.s_[bias.size // 4 : bias.size // 2])
