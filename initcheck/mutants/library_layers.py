"""Faults in the default weights and in the streams of libraries' layers, each only just wrong.

Each is for one target, and is made by ``apply(library, put)``, where ``put`` sets an attribute as ``setattr`` does.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from initcheck.frameworks.backends import load_library
from initcheck.mutants.mutant import mutant

Put = Callable[[Any, str, Any], None]
ApplyToLibrary = Callable[[Any, Put], None]


@dataclass(frozen=True)
class LibraryFault:
    """A change of an installed library.

    Attributes:
        name: Short and unique.
        title: The change, and by how much it is wrong.
        target: The target that it is made in.
        cells: The cells that must fail under it: the check's code and the subject.
        apply: Makes the change, given the library's package.
    """

    name: str
    title: str
    target: str
    cells: tuple[str, ...]
    apply: ApplyToLibrary


FAULTS: list[LibraryFault] = []


def _fault(target: str, name: str, title: str, *cells: str) -> Callable[[ApplyToLibrary], ApplyToLibrary]:
    def register(apply: ApplyToLibrary) -> ApplyToLibrary:
        FAULTS.append(LibraryFault(name, title, target, cells, apply))
        return apply

    return register


def _after(torch: Any, kind: Any, put: Put, change: Callable[[Any], None]) -> None:
    """Makes layers of torch change their weights once they have drawn them."""
    original = kind.reset_parameters

    def reset_parameters(self: Any) -> None:
        original(self)
        with torch.no_grad():
            change(self)

    put(kind, "reset_parameters", reset_parameters)


@_fault("torch", "torch-linear-0.6-percent", "kernels of Linear reach 0.6 % less far than √k", "LAW28-Linear")
def _linear(torch: Any, put: Put) -> None:
    _after(torch, torch.nn.Linear, put, lambda layer: layer.weight.mul_(0.994))


@_fault(
    "torch",
    "torch-groups-forgotten",
    "kernels of convolutions count the inputs of all groups",
    "LAW28-Conv1d",
    "LAW28-Conv2d",
)
def _groups(torch: Any, put: Put) -> None:
    _after(torch, torch.nn.modules.conv._ConvNd, put, lambda layer: layer.weight.div_(layer.groups**0.5))


@_fault("torch", "torch-lstm-normal", "LSTM draws normal weights of the documented variance", "LAW28-LSTM")
def _lstm(torch: Any, put: Put) -> None:
    def change(layer: Any) -> None:
        for weight in layer.parameters() if type(layer) is torch.nn.LSTM else ():
            weight.normal_(0.0, (3 * layer.hidden_size) ** -0.5)

    _after(torch, torch.nn.modules.rnn.RNNBase, put, change)


@_fault("torch", "torch-embedding-shifted", "Embedding draws around 0.04 instead of 0", "LAW28-Embedding")
def _embedding(torch: Any, put: Put) -> None:
    _after(torch, torch.nn.Embedding, put, lambda layer: layer.weight.add_(0.04))


@_fault("torch", "torch-prelu-slope", "PReLU starts at 0.2500001", "LAW28-PReLU")
def _prelu(torch: Any, put: Put) -> None:
    _after(torch, torch.nn.PReLU, put, lambda layer: layer.weight.add_(1e-7))


@_fault(
    "torch",
    "torch-streams-overlap",
    "a Linear draws what the one before it drew, from its second quarter on",
    "SEED16-layers",
)
def _overlap(torch: Any, put: Put) -> None:
    original = torch.nn.Linear.reset_parameters

    def reset_parameters(self: Any) -> None:
        before = torch.get_rng_state()
        original(self)
        torch.set_rng_state(before)
        torch.rand(self.weight.numel() // 4)

    put(torch.nn.Linear, "reset_parameters", reset_parameters)


@_fault(
    "torch",
    "torch-padding-drawn",
    "the row of an embedding for padding is drawn like the others",
    "LAW28-Embedding-padding_idx",
    "LAW28-EmbeddingBag-padding_idx",
)
def _padding(torch: Any, put: Put) -> None:
    for kind in (torch.nn.Embedding, torch.nn.EmbeddingBag):
        put(kind, "_fill_padding_idx_with_zero", lambda self: None)


@_fault(
    "torch",
    "torch-smaller-side",
    "a kernel's bound is of the inputs or of the outputs, whichever are fewer",
    "LAW28-Linear-narrow",
    "LAW28-Conv2d-narrow",
    "LAW28-RNN-narrow",
)
def _smaller(torch: Any, put: Put) -> None:
    """Right where there are fewer inputs than outputs."""

    def change(weight: Any, inputs: int, outputs: int) -> None:
        weight.mul_(max(1.0, inputs / outputs) ** 0.5)

    nn = torch.nn
    _after(torch, nn.Linear, put, lambda one: change(one.weight, one.in_features, one.out_features))
    _after(torch, nn.modules.conv._ConvNd, put, lambda one: change(one.weight, one.in_channels, one.out_channels))
    _after(torch, nn.modules.rnn.RNNBase, put, lambda one: change(one.weight_ih_l0, one.input_size, one.hidden_size))


@_fault(
    "torch",
    "torch-transposed-groups",
    "kernels of transposed convolutions of images and volumes count the outputs of all groups",
    "LAW28-ConvTranspose2d",
    "LAW28-ConvTranspose3d",
)
def _transposed(torch: Any, put: Put) -> None:
    def change(layer: Any) -> None:
        if layer.transposed and len(layer.kernel_size) > 1:
            layer.weight.div_(layer.groups**0.5)

    _after(torch, torch.nn.modules.conv._ConvNd, put, change)


@_fault(
    "torch",
    "torch-second-layer-wider",
    "recurrent layers above the first are 3 % too wide",
    "LAW28-GRU-second-layer",
)
def _second(torch: Any, put: Put) -> None:
    def change(layer: Any) -> None:
        for path, weight in layer.named_parameters():
            if not path.endswith(("_l0", "_l0_reverse")):
                weight.mul_(1.03)

    _after(torch, torch.nn.modules.rnn.RNNBase, put, change)


@_fault(
    "torch",
    "torch-directions-alike",
    "the way back of a recurrent layer starts with the weights of the way there",
    "SEED16-directions",
)
def _directions(torch: Any, put: Put) -> None:
    def change(layer: Any) -> None:
        weights = dict(layer.named_parameters())
        for path, weight in weights.items():
            if path.endswith("_reverse"):
                weight.copy_(weights[path.removesuffix("_reverse")])

    _after(torch, torch.nn.modules.rnn.RNNBase, put, change)


@_fault("torch", "torch-lazy-bias", "the bias of a LazyLinear stays zero", "LAW28-LazyLinear")
def _lazy(torch: Any, put: Put) -> None:
    original = torch.nn.LazyLinear.initialize_parameters

    def initialize_parameters(self: Any, inputs: Any) -> None:
        original(self, inputs)
        with torch.no_grad():
            self.bias.zero_()

    put(torch.nn.LazyLinear, "initialize_parameters", initialize_parameters)


@_fault("torch", "torch-running-variance", "the running variance starts at 0.999", "LAW28-BatchNorm2d")
def _running(torch: Any, put: Put) -> None:
    kind = torch.nn.modules.batchnorm._NormBase
    original = kind.reset_running_stats

    def reset_running_stats(self: Any) -> None:
        original(self)
        if self.track_running_stats:
            self.running_var.fill_(0.999)

    put(kind, "reset_running_stats", reset_running_stats)


@_fault("torch", "torch-rms-scale", "RMSNorm starts with a scale of 1.0001", "LAW28-RMSNorm")
def _rms(torch: Any, put: Put) -> None:
    _after(torch, torch.nn.RMSNorm, put, lambda layer: layer.weight.mul_(1.0001))


def _parameters(flax: Any, put: Put, change: Callable[[Any, str, Any], Any]) -> None:
    """Makes modules of linen change parameters as they draw them, given the module, the parameter's name and value."""
    original = flax.linen.Module.param

    def param(self: Any, name: str, init_fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def changed(*given: Any, **named: Any) -> Any:
            return change(self, name, init_fn(*given, **named))

        return original(self, name, changed, *args, **kwargs)

    put(flax.linen.Module, "param", param)


@_fault("flax", "linen-dense-4-percent", "kernels of linen.Dense are 4 % too wide", "LAW28-linen.Dense")
def _dense(flax: Any, put: Put) -> None:
    def change(module: Any, name: str, value: Any) -> Any:
        return 1.04 * value if type(module) is flax.linen.Dense and name == "kernel" else value

    _parameters(flax, put, change)


@_fault(
    "flax",
    "linen-gru-candidate",
    "the candidate's recurrent kernel of linen.GRUCell is orthogonal times 1.0001",
    "LAW28-linen.GRUCell",
)
def _candidate(flax: Any, put: Put) -> None:
    def change(module: Any, name: str, value: Any) -> Any:
        return 1.0001 * value if (module.name, name) == ("hn", "kernel") else value

    _parameters(flax, put, change)


def _default(kind: Any, put: Put, argument: str, value: Any) -> None:
    """Gives an argument of a module of nnx another default."""
    put(kind.__init__, "__kwdefaults__", kind.__init__.__kwdefaults__ | {argument: value})


@_fault("flax", "nnx-embed-uniform", "nnx.Embed draws uniformly, with the documented variance", "LAW28-nnx.Embed")
def _embed(flax: Any, put: Put) -> None:
    scaling = flax.nnx.initializers.variance_scaling
    _default(flax.nnx.Embed, put, "embedding_init", scaling(1.0, "fan_in", "uniform", out_axis=0))


@_fault("flax", "nnx-cut-short", "kernels of nnx.Linear are cut 1 % before two standard deviations", "LAW28-nnx.Linear")
def _cut(flax: Any, put: Put) -> None:
    original = flax.nnx.initializers.lecun_normal()

    def lecun_normal(key: Any, shape: Any, dtype: Any) -> Any:
        limit = 0.99 * 2 / 0.87962566103423978 * shape[0] ** -0.5
        return original(key, shape, dtype).clip(-limit, limit)

    _default(flax.nnx.Linear, put, "kernel_init", lecun_normal)


@_fault("flax", "nnx-key-twice", "the fourth key of a stream of nnx.Rngs is its third one", "SEED16-nnx.Rngs")
def _twice(flax: Any, put: Put) -> None:
    import jax

    stream = flax.nnx.RngStream
    original = stream.__call__

    def call(self: Any) -> Any:
        number = int(self.count[...])
        key = original(self)
        return jax.random.fold_in(self.key[...], 2) if number == 3 else key

    put(stream, "__call__", call)


@_fault("jax", "jax-fold-in-parity", "fold_in of an even number above 7 is that of the number before", "SEED16-fold_in")
def _fold_in(jax: Any, put: Put) -> None:
    original = jax.random.fold_in
    put(jax.random, "fold_in", lambda key, data: original(key, data - (data > 7 and data % 2 == 0)))


@_fault("flax", "nnx-groups-forgotten", "kernels of nnx.Conv count the inputs of all groups", "LAW28-nnx.Conv-groups")
def _all_groups(flax: Any, put: Put) -> None:
    original = flax.nnx.Conv.__init__

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        self.kernel[...] /= self.feature_group_count**0.5

    put(flax.nnx.Conv, "__init__", init)


@_fault("flax", "linen-slope", "linen.PReLU starts at 0.0101", "LAW28-linen.PReLU")
def _slope(flax: Any, put: Put) -> None:
    _parameters(flax, put, lambda module, name, value: 1.01 * value if name == "negative_slope" else value)


@_fault("flax", "nnx-scale-in-half", "nnx.LayerNorm stores its weights in bfloat16", "LAW28-nnx.LayerNorm")
def _in_half(flax: Any, put: Put) -> None:
    _default(flax.nnx.LayerNorm, put, "param_dtype", "bfloat16")


@_fault("flax", "linen-path-cut", "a path of four levels and more leaves out its second one", "SEED16-linen-depth")
def _cut_path(flax: Any, put: Put) -> None:
    scope = importlib.import_module("flax.core.scope")
    original = scope._fold_in_static

    def fold(key: Any, path: Any) -> Any:
        return original(key, path if len(path) < 5 else (path[0], *path[2:]))

    put(scope, "_fold_in_static", fold)


@_fault("flax", "nnx-counter-wraps", "the counter of a stream of nnx.Rngs wraps at 256", "SEED16-nnx.Rngs-many")
def _wraps(flax: Any, put: Put) -> None:
    import jax

    stream = flax.nnx.RngStream
    original = stream.__call__

    def call(self: Any) -> Any:
        number = int(self.count[...])
        key = original(self)
        return jax.random.fold_in(self.key[...], number % 256) if number > 255 else key

    put(stream, "__call__", call)


@_fault("flax", "nnx-split-twice", "the last part of nnx.Rngs that are split is the first", "SEED16-nnx.Rngs-split")
def _last_part(flax: Any, put: Put) -> None:
    stream = flax.nnx.RngStream
    original = stream.split

    def split(self: Any, parts: Any) -> Any:
        made = original(self, parts)
        made.key[...] = made.key[...].at[-1].set(made.key[...][0])
        return made

    put(stream, "split", split)


@_fault("jax", "jax-split-256", "split gives 256 keys, and begins anew", "SEED16-split-many")
def _split_256(jax: Any, put: Put) -> None:
    original = jax.random.split

    def split(key: Any, num: Any = 2) -> Any:
        keys = original(key, num)
        return keys[jax.numpy.arange(num) % 256] if isinstance(num, int) and num > 256 else keys

    put(jax.random, "split", split)


@_fault("jax", "jax-split-rows", "each row of split(key, (rows, columns)) is the first", "SEED16-split-to-shape")
def _split_rows(jax: Any, put: Put) -> None:
    original = jax.random.split

    def split(key: Any, num: Any = 2) -> Any:
        keys = original(key, num)
        return keys[jax.numpy.zeros(num[0], int)] if isinstance(num, tuple) else keys

    put(jax.random, "split", split)


@_fault("jax", "jax-fold-in-bits", "fold_in loses bits 8 to 15 of a number", "SEED16-fold_in")
def _fold_in_bits(jax: Any, put: Put) -> None:
    original = jax.random.fold_in
    put(jax.random, "fold_in", lambda key, data: original(key, data & 0xFFFF00FF))


@_fault("jax", "jax-old-keys-16-bits", "PRNGKey takes 16 bits of its seed", "SEED16-PRNGKey")
def _old_keys(jax: Any, put: Put) -> None:
    original = jax.random.PRNGKey
    put(jax.random, "PRNGKey", lambda seed, **named: original(seed & 0xFFFF, **named))


def _put_in(fault: LibraryFault, _: Any) -> None:
    package = load_library(fault.target)
    if fault.target == "flax":  # which loads neither of its two halves by itself
        for half in ("linen", "nnx"):
            importlib.import_module(f"flax.{half}")
    fault.apply(package, setattr)


for _each in FAULTS:
    mutant(
        _each.name,
        _each.title,
        caught_by=tuple(dict.fromkeys(cell.partition("-")[0] for cell in _each.cells)),
        on=_each.target,
    )(functools.partial(_put_in, _each))
