"""Layers of ``torch.nn`` with the default weights that their pages state, and streams of ``torch.manual_seed``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from initcheck.catalog.laws import Constant, ElementLaw, Elementwise
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backends import load_library
from initcheck.frameworks.libraries.documented_laws import scaled_by, uniform_within
from initcheck.frameworks.libraries.library import DefaultWeight, LibraryLayer, LibraryStreams

_DOCS = "https://docs.pytorch.org/docs/stable/generated/torch.nn"
_SEEDED = "https://docs.pytorch.org/docs/stable/notes/randomness.html"
Make = Callable[[Any], Any]


def _arrays(seed: int, make: Callable[[Any], Mapping[str, Any]]) -> Mapping[str, Any]:
    """The tensors that ``make`` gets of ``torch.nn`` after ``manual_seed``, as arrays."""
    torch = load_library("torch")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return {name: as_array(tensor) for name, tensor in make(torch.nn).items()}


def _layer(name: str, make: Make, weights: Mapping[str, DefaultWeight], kind: str = "") -> LibraryLayer:
    def build(seed: int) -> Mapping[str, Any]:
        return _arrays(seed, lambda nn: make(nn).state_dict())

    return LibraryLayer(name, build, MappingProxyType(weights), f"{_DOCS}.{kind or name}.html")


def _bounded(k: float, formula: str, *paths: str) -> dict[str, DefaultWeight]:
    sentence = f"the values are initialized from U(−√k, √k), where k = {formula}"
    return dict.fromkeys(paths, DefaultWeight(uniform_within(k), sentence))


def _convolved(k: float, formula: str) -> dict[str, DefaultWeight]:
    sentence = f"the values of these weights are sampled from U(−√k, √k) where k = {formula}"
    return dict.fromkeys(("weight", "bias"), DefaultWeight(uniform_within(k), sentence))


def _recurrent(hidden: int, *paths: str) -> dict[str, DefaultWeight]:
    sentence = "all the weights and biases are initialized from U(−√k, √k) where k = 1 / hidden_size"
    return dict.fromkeys(paths, DefaultWeight(uniform_within(1 / hidden), sentence))


def _constant(value: float, sentence: str, *paths: str) -> dict[str, DefaultWeight]:
    return dict.fromkeys(paths, DefaultWeight(Constant(value), sentence))


_CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_FIRST = tuple(f"{path}_l0" for path in _CELL)
_AFFINE = "learnable per-channel affine parameters initialized to ones (for weights) and zeros (for biases)"
_GAMMA = "by default, the elements of γ are set to 1 and the elements of β are set to 0"
_NORMAL = {
    "weight": DefaultWeight(
        Elementwise(ElementLaw("normal", 0.0, 1.0)),
        "weight: of shape (num_embeddings, embedding_dim) initialized from N(0, 1)",
    )
}
# No page states laws of attention's weights. Where keys and values have sizes of their own, each projection is drawn by
# ``xavier_uniform_``; the formula has three matrices in either case.
_PROJECTED = (
    "head_i = Attention(QW_i^Q, KW_i^K, VW_i^V): three projections, each by xavier_uniform_, U(−a, a) with "
    "a = √(6 / (fan_in + fan_out)) (in the source, for kdim and vdim of their own; the page states no law)"
)
_WIDTH, _KEYS, _VALUES = 64, 48, 96


def _xavier(inputs: int, outputs: int) -> DefaultWeight:
    return DefaultWeight(scaled_by(1.0, (inputs + outputs) / 2, "uniform"), _PROJECTED)


_ATTENTION = {
    **_constant(0.0, "constant_(…bias, 0.0) (in the source; the page states no law)", "in_proj_bias", "out_proj.bias"),
    **_bounded(1 / _WIDTH, "1 / in_features", "out_proj.weight"),
}


_PADDED = "the embedding vector at padding_idx will default to all zeros"


def _padded(kind: str) -> LibraryLayer:
    """An embedding with a row for padding, which is apart from the others."""

    def make(nn: Any) -> Mapping[str, Any]:
        weight = getattr(nn, kind)(500, 100, padding_idx=7).weight
        return {"weight but for padding_idx": weight[[*range(7), *range(8, 500)]], "padding_idx": weight[7]}

    weights = {"weight but for padding_idx": _NORMAL["weight"], **_constant(0.0, _PADDED, "padding_idx")}
    return LibraryLayer(
        f"{kind}-padding_idx", lambda seed: _arrays(seed, make), MappingProxyType(weights), f"{_DOCS}.{kind}.html"
    )


def _lazy(nn: Any) -> Any:
    """A layer that learns the number of its inputs from its first call."""
    layer = nn.LazyLinear(16_000)
    layer(load_library("torch").zeros(1, 5))
    return layer


def _unpacked(nn: Any) -> Mapping[str, Any]:
    """Attention's weights with the three projections by themselves, as its call takes them apart."""
    weights = dict(nn.MultiheadAttention(_WIDTH, 4).state_dict())
    packed = weights.pop("in_proj_weight")
    return {**weights, **dict(zip(("W^Q", "W^K", "W^V"), packed.chunk(3), strict=True))}


# Few inputs and many outputs: biases are as many as outputs. Groups and windows tell the formulas for k apart. Narrow
# layers have more inputs than outputs, so that a formula with the smaller of the two shows.
LAYERS = (
    _layer("Linear", lambda nn: nn.Linear(5, 16_000), _bounded(1 / 5, "1 / in_features", "weight", "bias")),
    _layer(
        "Linear-narrow",
        lambda nn: nn.Linear(1000, 60, bias=False),
        _bounded(1 / 1000, "1 / in_features", "weight"),
        "Linear",
    ),
    _layer("LazyLinear", _lazy, _bounded(1 / 5, "1 / in_features", "weight", "bias")),
    _layer("Bilinear", lambda nn: nn.Bilinear(3, 7, 16_000), _bounded(1 / 3, "1 / in1_features", "weight", "bias")),
    _layer(
        "Conv1d",
        lambda nn: nn.Conv1d(6, 16_000, 3, groups=2),
        _convolved(2 / (6 * 3), "groups / (C_in · kernel_size)"),
    ),
    _layer(
        "Conv2d",
        lambda nn: nn.Conv2d(4, 16_000, (2, 3), groups=2),
        _convolved(2 / (4 * 2 * 3), "groups / (C_in · ∏ kernel_size[i])"),
    ),
    _layer(
        "Conv2d-narrow",
        lambda nn: nn.Conv2d(200, 50, (2, 3), bias=False),
        {"weight": _convolved(1 / (200 * 2 * 3), "groups / (C_in · ∏ kernel_size[i])")["weight"]},
        "Conv2d",
    ),
    _layer(
        "Conv3d",
        lambda nn: nn.Conv3d(2, 16_000, (2, 1, 3), groups=2),
        _convolved(2 / (2 * 2 * 3), "groups / (C_in · ∏ kernel_size[i])"),
    ),
    _layer(
        "ConvTranspose1d",
        lambda nn: nn.ConvTranspose1d(4, 16_000, 3, groups=2),
        _convolved(2 / (16_000 * 3), "groups / (C_out · kernel_size)"),
    ),
    _layer(
        "ConvTranspose2d",
        lambda nn: nn.ConvTranspose2d(4, 16_000, (2, 3), groups=2),
        _convolved(2 / (16_000 * 2 * 3), "groups / (C_out · ∏ kernel_size[i])"),
    ),
    _layer(
        "ConvTranspose3d",
        lambda nn: nn.ConvTranspose3d(4, 16_000, (2, 1, 2), groups=2),
        _convolved(2 / (16_000 * 2 * 2), "groups / (C_out · ∏ kernel_size[i])"),
    ),
    _layer("Embedding", lambda nn: nn.Embedding(500, 100), _NORMAL),
    _layer("EmbeddingBag", lambda nn: nn.EmbeddingBag(500, 100), _NORMAL),
    _padded("Embedding"),
    _padded("EmbeddingBag"),
    _layer("RNN", lambda nn: nn.RNN(20, 200), _recurrent(200, *_FIRST)),
    _layer("GRU", lambda nn: nn.GRU(20, 100), _recurrent(100, *_FIRST)),
    _layer("LSTM", lambda nn: nn.LSTM(20, 80), _recurrent(80, *_FIRST)),
    _layer("LSTM-projected", lambda nn: nn.LSTM(20, 80, proj_size=20), _recurrent(80, *_FIRST, "weight_hr_l0"), "LSTM"),
    _layer(
        "RNN-narrow",
        lambda nn: nn.RNN(300, 150, bias=False),
        _recurrent(150, *(path for path in _FIRST if path.startswith("weight"))),
        "RNN",
    ),
    _layer(
        "GRU-second-layer",
        lambda nn: nn.GRU(20, 100, num_layers=2, bias=False),
        _recurrent(100, *(f"weight_{side}_l{number}" for side in ("ih", "hh") for number in (0, 1))),
        "GRU",
    ),
    _layer(
        "LSTM-both-ways",
        lambda nn: nn.LSTM(20, 80, bidirectional=True, bias=False),
        _recurrent(80, *(f"weight_{side}_l0{way}" for side in ("ih", "hh") for way in ("", "_reverse"))),
        "LSTM",
    ),
    _layer("RNNCell", lambda nn: nn.RNNCell(20, 200), _recurrent(200, *_CELL)),
    _layer("GRUCell", lambda nn: nn.GRUCell(20, 100), _recurrent(100, *_CELL)),
    _layer("LSTMCell", lambda nn: nn.LSTMCell(20, 80), _recurrent(80, *_CELL)),
    LibraryLayer(
        "MultiheadAttention",
        lambda seed: _arrays(seed, _unpacked),
        MappingProxyType({**_ATTENTION, **dict.fromkeys(("W^Q", "W^K", "W^V"), _xavier(_WIDTH, _WIDTH))}),
        f"{_DOCS}.MultiheadAttention.html",
    ),
    _layer(
        "MultiheadAttention-kdim-vdim",
        lambda nn: nn.MultiheadAttention(_WIDTH, 4, kdim=_KEYS, vdim=_VALUES),
        {
            **_ATTENTION,
            "q_proj_weight": _xavier(_WIDTH, _WIDTH),
            "k_proj_weight": _xavier(_KEYS, _WIDTH),
            "v_proj_weight": _xavier(_VALUES, _WIDTH),
        },
        "MultiheadAttention",
    ),
    _layer(
        "LayerNorm",
        lambda nn: nn.LayerNorm((3, 50)),
        _constant(1.0, "the values are initialized to 1", "weight")
        | _constant(0.0, "the values are initialized to 0", "bias"),
    ),
    _layer(
        "GroupNorm",
        lambda nn: nn.GroupNorm(4, 100),
        _constant(1.0, _AFFINE, "weight") | _constant(0.0, _AFFINE, "bias"),
    ),
    _layer("RMSNorm", lambda nn: nn.RMSNorm((3, 50)), _constant(1.0, "initialized to ones (for weights)", "weight")),
    _layer(
        "BatchNorm2d",
        lambda nn: nn.BatchNorm2d(100),
        _constant(1.0, _GAMMA, "weight")
        | _constant(0.0, _GAMMA, "bias")
        | _constant(0.0, "running_mean.zero_() (in the source)", "running_mean")
        | _constant(1.0, "running_var.fill_(1) (in the source)", "running_var")
        | _constant(0.0, "num_batches_tracked.zero_() (in the source)", "num_batches_tracked"),
    ),
    _layer(
        "InstanceNorm2d",
        lambda nn: nn.InstanceNorm2d(100, affine=True),
        _constant(1.0, "initialized the same way as done for batch normalization", "weight")
        | _constant(0.0, "initialized the same way as done for batch normalization", "bias"),
    ),
    _layer("PReLU", lambda nn: nn.PReLU(100), _constant(0.25, "init: the initial value of a. Default: 0.25", "weight")),
)

_PLACES, _SIDE = 10, 64
_LINEAR = f"{_DOCS}.Linear.html"
_OF_LINEAR = "the values are initialized from U(−√k, √k)"


def _stack(kind: str) -> Make:
    """An encoder or a decoder of ten layers."""

    def make(nn: Any) -> Any:
        layer = getattr(nn, f"{kind}Layer")(_SIDE, 4, dim_feedforward=_SIDE, batch_first=True)
        return getattr(nn, kind)(layer, _PLACES)

    return make


def _transformer(nn: Any) -> Any:
    half = _PLACES // 2
    return nn.Transformer(
        _SIDE, 4, num_encoder_layers=half, num_decoder_layers=half, dim_feedforward=_SIDE**2, batch_first=True
    )


def _unlike(nn: Any) -> Mapping[str, Any]:
    """Kernels of layers of several kinds, one made after the other."""
    made = (
        nn.Linear(_SIDE, _SIDE),
        nn.Conv1d(_SIDE, _SIDE, 1),
        nn.Conv2d(_SIDE, _SIDE, 2),
        nn.ConvTranspose1d(_SIDE, _SIDE, 1),
        nn.Bilinear(_SIDE, 8, 8),
        nn.Embedding(_SIDE, _SIDE),
        nn.RNN(_SIDE, _SIDE),
        nn.LSTM(_SIDE, _SIDE),
        nn.GRU(_SIDE, _SIDE),
        nn.Linear(_SIDE, _SIDE),
    )
    least = _SIDE**2
    return {
        f"{number} {type(layer).__name__}.{path}": tensor
        for number, layer in enumerate(made)
        for path, tensor in layer.state_dict().items()
        if math.prod(tensor.shape) >= least
    }


def _streams(name: str, make: Callable[[Any], Mapping[str, Any]], sentence: str, source: str) -> LibraryStreams:
    return LibraryStreams(name, lambda seed: _arrays(seed, make), sentence, source)


def _ending(ending: str, make: Make) -> Callable[[Any], Mapping[str, Any]]:
    """The weights with that ending of a path of what is made."""
    return lambda nn: {path: one for path, one in make(nn).state_dict().items() if path.endswith(ending)}


STREAMS = (
    _streams(
        "layers",
        _ending("weight", lambda nn: nn.Sequential(*(nn.Linear(_SIDE, _SIDE) for _ in range(_PLACES)))),
        _OF_LINEAR,
        _LINEAR,
    ),
    _streams(
        "kinds", _unlike, "you can use torch.manual_seed() to seed the RNG for all devices (both CPU and CUDA)", _SEEDED
    ),
    _streams(
        "directions",
        _ending("", lambda nn: nn.RNN(_SIDE, _SIDE, num_layers=3, bidirectional=True, bias=False)),
        "all the weights and biases are initialized from U(−√k, √k)",
        f"{_DOCS}.RNN.html",
    ),
    *(
        _streams(kind, _ending("linear1.weight", _stack(kind)), _OF_LINEAR, _LINEAR)
        for kind in ("TransformerEncoder", "TransformerDecoder")
    ),
    _streams("Transformer", _ending("linear1.weight", _transformer), _OF_LINEAR, _LINEAR),
    _streams("Transformer-biases", _ending("linear1.bias", _transformer), _OF_LINEAR, _LINEAR),
)
