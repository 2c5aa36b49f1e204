"""Faults in the draws of every target but Keras on TensorFlow, each only just wrong: one table, put in by each port."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.frameworks.arrays import as_array
from initcheck.mutants.mutant import mutant

Values = npt.NDArray[Any]
Change = Callable[[Values, int], Values]  # values and how many draws were made before → values

# Role of a fault's victim → what each target calls it.
_KERAS = {
    "he": "HeNormal",
    "fans": "HeUniform",
    "averaged": "GlorotUniform",
    "normal": "RandomNormal",
    "uniform": "RandomUniform",
    "orthogonal": "Orthogonal",
    "constant": "Constant",
}
_JAX = {
    "he": "he_normal",
    "fans": "he_uniform",
    "averaged": "glorot_uniform",
    "normal": "normal",
    "uniform": "uniform",
    "orthogonal": "orthogonal",
    "constant": "constant",
}
_TORCH = {
    "he": "kaiming_normal_",
    "fans": "kaiming_uniform_",
    "averaged": "xavier_uniform_",
    "normal": "normal_",
    "uniform": "uniform_",
    "orthogonal": "orthogonal_",
    "constant": "constant_",
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "keras:jax": _KERAS,
    "keras:torch": _KERAS,
    "torch": _TORCH,
    "jax": _JAX,
    "flax": _JAX,
}


@dataclass(frozen=True)
class Fault:
    """One fault, the same for every target.

    Attributes:
        name: Short and unique.
        title: What is wrong, and by how much.
        role: Whose draws.
        caught_by: The checks that must fail.
        change: Of the values, as NumPy has them; None where the seed is changed.
        seed: Of the seed.
    """

    name: str
    title: str
    role: str
    caught_by: str
    change: Change | None = None
    seed: Callable[[int], int] | None = None


def _spread(values: Values) -> float:
    return float(np.std(values.astype(np.float64))) if values.size > 1 else 1.0


def _times(factor: float) -> Change:
    return lambda values, _: (values.astype(np.float64) * factor).astype(values.dtype)


def _windows(values: Values, _: int) -> Values:
    return (values.astype(np.float64) * (1.05 if values.ndim == 4 else 1.0)).astype(values.dtype)


def _shifted(values: Values, _: int) -> Values:
    return (values.astype(np.float64) + 0.02 * _spread(values)).astype(values.dtype)


def _coarse(values: Values, _: int) -> Values:
    low, high = float(values.min(initial=0.0)), float(values.max(initial=1.0))
    cell = (high - low) / 4096
    return (low + (np.floor((values.astype(np.float64) - low) / cell) + 0.5) * cell).astype(values.dtype)


def _mirrored(values: Values, _: int) -> Values:
    flat = values.ravel().copy()
    half = flat.size // 2
    if half < 1000:
        return values
    middle = np.asarray(2 * flat.astype(np.float64).mean())
    flat[-half:] = (middle - flat[:half].astype(np.float64)).astype(values.dtype)
    return flat.reshape(values.shape)


def _clipped(values: Values, _: int) -> Values:
    sigma, middle = _spread(values), float(values.astype(np.float64).mean())
    kept = np.clip(values.astype(np.float64), middle - 4.2 * sigma, middle + 4.2 * sigma)
    return kept.astype(values.dtype) if values.size > 500_000 and values.dtype == np.float32 else values


def _low_in_half(values: Values, _: int) -> Values:
    if values.dtype.itemsize > 2:
        return values
    return (values.astype(np.float64) - 0.02 * _spread(values)).astype(values.dtype)


def _one_sign(values: Values, _: int) -> Values:
    """As a factorization leaves it whose signs are not corrected: the first row of the taller way is positive."""
    matrix = values.reshape(-1, values.shape[-1]).copy()
    first = np.sign(matrix[:1]) if matrix.shape[0] >= matrix.shape[1] else np.sign(matrix[:, :1])
    return (matrix * np.where(first == 0, 1, first)).astype(values.dtype).reshape(values.shape)


def _other_call(values: Values, calls: int) -> Values:
    """Every draw after the first is off in its last bit."""
    return np.nextafter(values, np.inf) if calls and values.dtype == np.float32 else values


def _outlier(values: Values, _: int) -> Values:
    changed = values.copy()
    if changed.size > 1000:
        changed.flat[changed.size // 2] *= np.asarray(1.002 * _farthest(values), values.dtype)
    return changed


def _farthest(values: Values) -> float:
    middle = float(abs(values.flat[values.size // 2])) or 1.0
    return float(np.abs(values.astype(np.float64)).max()) / middle


def _flat(values: Values, _: int) -> Values:
    return values.reshape(-1) if values.shape == (1, 1) else values


def _far_out(values: Values, _: int) -> Values:
    center, spread = float(np.mean(values, dtype=np.float64)), _spread(values)
    return np.where(values < center - 5.18 * spread, values.dtype.type(center - 9 * spread), values)


def _imaginary(values: Values, _: int) -> Values:
    return values.real + 1.02j * values.imag if np.iscomplexobj(values) else values


FAULTS = (
    Fault("scale-2-percent", "he_normal's standard deviation is 2 % too large", "he", "LAW03", _times(1.02)),
    Fault("limit-0.2-percent", "he_uniform reaches 0.2 % less far", "fans", "LAW04", _times(0.998)),
    Fault("windows-5-percent", "kernels of rank 4 of glorot_uniform are 5 % too wide", "averaged", "LAW03", _windows),
    Fault("mean-0.02-sigma", "normal draws have a mean 0.02 σ too high", "normal", "LAW02", _shifted),
    Fault("twelve-bits", "uniform draws have 12 random bits", "uniform", "LAW04", _coarse),
    Fault(
        "mirrored-half",
        "the second half of a normal draw is the first with its sign turned",
        "normal",
        "LAW05",
        _mirrored,
    ),
    Fault("tail-cut", "large normal draws are cut off at 4.2 standard deviations", "normal", "LAW17", _clipped),
    Fault("far-out", "one normal number in 2²³ lies 9 standard deviations out", "normal", "LAW31", _far_out),
    Fault(
        "limit-overstepped", "one element of a large he_uniform draw lies 0.2 % too far out", "fans", "LAW01", _outlier
    ),
    Fault("gain-0.1-percent", "orthogonal draws are 0.1 % too long", "orthogonal", "LAW08", _times(1.001)),
    Fault("orthogonal-signs", "orthogonal draws lack the correction of signs", "orthogonal", "LAW09", _one_sign),
    Fault("constant-rounded", "constants are a part in a thousand off", "constant", "LAW07", _times(1.001)),
    Fault("half-too-low", "he_normal in half precision lies 0.02 σ too low", "he", "LAW29", _low_in_half),
    Fault("complex-2-percent", "the imaginary parts of he_uniform are 2 % too large", "fans", "LAW30", _imaginary),
    Fault("scalar-shape", "a draw of shape (1, 1) has shape (1,)", "normal", "LAW10", _flat),
    Fault("seed-halved", "seeds 2s and 2s + 1 give one draw", "normal", "SEED01", seed=lambda seed: seed // 2),
    Fault("seed-31-bits", "the highest bit of a seed is lost", "fans", "SEED13", seed=lambda seed: seed & 0x7FFFFFFF),
    Fault("zero-is-one", "seed 0 is seed 1", "he", "SEED03", seed=lambda seed: seed or 1),
    Fault("last-bit", "a draw is off in its last bits but for the first one", "averaged", "SEED04", _other_call),
)


def _wrap_keras(name: str, fault: Fault, keras: Any) -> None:
    kind = getattr(keras.initializers, name)
    original, drawn, calls = kind.__call__, kind.__init__, [0]

    def call(self: Any, shape: Any, dtype: Any = None, **more: Any) -> Any:
        values = original(self, shape, dtype=dtype, **more)
        if fault.change is None:
            return values
        calls[0] += 1
        return keras.ops.convert_to_tensor(fault.change(as_array(values), calls[0] - 1))

    def init(self: Any, *arguments: Any, **named: Any) -> None:
        if fault.seed is not None and isinstance(named.get("seed"), int):
            named["seed"] = fault.seed(named["seed"])
        drawn(self, *arguments, **named)

    kind.__call__, kind.__init__ = call, init


def _wrap_jax(module: str, name: str, fault: Fault) -> None:
    import jax

    initializers = importlib.import_module(module)
    original, calls = getattr(initializers, name), [0]

    @functools.wraps(original)
    def make(*arguments: Any, **named: Any) -> Any:
        ready = original(*arguments, **named)

        def draw(key: Any, shape: Any, dtype: Any = np.float32, *more: Any) -> Any:
            if fault.change is None:
                return ready(_other_key(key, fault), shape, dtype, *more)
            calls[0] += 1
            return jax.numpy.asarray(fault.change(np.asarray(ready(key, shape, dtype, *more)), calls[0] - 1))

        return draw

    setattr(initializers, name, make)


def _other_key(key: Any, fault: Fault) -> Any:
    import jax

    assert fault.seed is not None
    words = [int(word) for word in jax.random.key_data(key)]
    return jax.random.wrap_key_data(np.asarray([words[0], fault.seed(words[1])], np.uint32))


def _wrap_rngs(fault: Fault) -> None:
    from flax import nnx

    original = nnx.Rngs.__init__

    def init(self: Any, default: Any = None, **streams: Any) -> None:
        changed = fault.seed(default) if fault.seed is not None and isinstance(default, int) else default
        original(self, changed, **streams)

    nnx.Rngs.__init__ = init


def _wrap_torch(name: str, fault: Fault) -> None:
    import torch

    original, calls = getattr(torch.nn.init, name), [0]

    @functools.wraps(original)
    def fill(tensor: Any, *arguments: Any, **named: Any) -> Any:
        given = named.get("generator")
        if fault.seed is not None and given is not None:
            named["generator"] = torch.Generator().manual_seed(fault.seed(given.initial_seed()))
        original(tensor, *arguments, **named)
        if fault.change is None:
            return tensor
        calls[0] += 1
        values = fault.change(as_array(tensor), calls[0] - 1)
        filled = torch.as_tensor(values.astype(np.float64)).to(tensor.dtype)
        if filled.shape != tensor.shape:
            tensor.resize_(filled.shape)
        return tensor.copy_(filled)

    setattr(torch.nn.init, name, fill)


def _put_in(target: str, fault: Fault, keras: Any) -> None:
    name = _NAMES[target][fault.role]
    if target.startswith("keras:"):
        _wrap_keras(name, fault, keras)
    elif target == "torch":
        _wrap_torch(name, fault)
    elif target == "flax" and fault.seed is not None:
        _wrap_rngs(fault)
    else:
        _wrap_jax("jax.nn.initializers" if target == "jax" else "flax.nnx.nn.initializers", name, fault)


_WITH_COMPLEX = ("jax", "flax")
for _target in _NAMES:
    for _fault in FAULTS:
        if _fault.caught_by == "LAW30" and _target not in _WITH_COMPLEX:
            continue
        mutant(f"{_target}-{_fault.name}", f"{_target}: {_fault.title}", caught_by=(_fault.caught_by,), on=_target)(
            functools.partial(_put_in, _target, _fault)
        )


# Faults that only other arguments than the usual ones show.


def _arguments_of(package: str, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """Makes a function take its arguments by ``change(arguments by name)``."""
    module = importlib.import_module(package)
    original = getattr(module, name)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def call(*arguments: Any, **named: Any) -> Any:
        given = signature.bind(*arguments, **named)
        given.apply_defaults()
        change(given.arguments)
        return original(*given.args, **given.kwargs)

    setattr(module, name, call)


_INIT, _JAX_INIT = "torch.nn.init", "jax.nn.initializers"


def _square(values: dict[str, Any]) -> None:
    values["gain"] **= 2


@mutant(
    "torch-gain-squared", "torch: xavier_normal_ multiplies by the square of its gain", caught_by=("LAW03",), on="torch"
)
def _gain(_: Any) -> None:
    _arguments_of(_INIT, "xavier_normal_", _square)


@mutant("torch-slope-ignored", "torch: kaiming_normal_ takes every slope for 0", caught_by=("LAW03",), on="torch")
def _slope(_: Any) -> None:
    _arguments_of(_INIT, "kaiming_normal_", lambda values: values.update(a=0))


@mutant("torch-relu-gain", "torch: the gain of relu is 1.38", caught_by=("LAW03",), on="torch")
def _relu(_: Any) -> None:
    """By its name: leaky_relu with a slope of 0 is right."""
    module: Any = importlib.import_module(_INIT)
    original = module.calculate_gain
    module.calculate_gain = lambda name, *slope: 1.38 if name == "relu" else original(name, *slope)


@mutant(
    "torch-limits-mirrored",
    "torch: trunc_normal_ cuts as far above the mean as below it",
    caught_by=("LAW04",),
    on="torch",
)
def _mirrored_limits(_: Any) -> None:
    """Right where the limits are."""
    _arguments_of(_INIT, "trunc_normal_", lambda values: values.update(b=2 * values["mean"] - values["a"]))


@mutant(
    "torch-limits-in-sigma",
    "torch: trunc_normal_ takes its default limits for two standard deviations",
    caught_by=("LAW03",),
    on="torch",
)
def _limits(_: Any) -> None:
    """As other libraries have it; right for a mean of 0 and a standard deviation of 1."""

    def change(values: dict[str, Any]) -> None:
        if (values["a"], values["b"]) == (-2.0, 2.0):
            mean, reach = values["mean"], 2 * values["std"]
            values.update(a=mean - reach, b=mean + reach)

    _arguments_of(_INIT, "trunc_normal_", change)


@mutant("jax-limits-mirrored", "jax: truncated_normal cuts as far below 0 as above it", caught_by=("LAW04",), on="jax")
def _mirrored_reach(_: Any) -> None:
    _arguments_of(_JAX_INIT, "truncated_normal", lambda values: values.update(lower=-values["upper"]))


@mutant("jax-limits-ignored", "jax: truncated_normal always cuts at 2 σ", caught_by=("LAW03",), on="jax")
def _usual_limits(_: Any) -> None:
    _arguments_of(_JAX_INIT, "truncated_normal", lambda values: values.update(lower=-2.0, upper=2.0))


@mutant("jax-axes-ignored", "jax: he_uniform ignores in_axis and out_axis", caught_by=("LAW03",), on="jax")
def _axes(_: Any) -> None:
    _arguments_of(_JAX_INIT, "he_uniform", lambda values: values.update(in_axis=-2, out_axis=-1))


@mutant("jax-batch-counted", "jax: variance_scaling counts a batch axis", caught_by=("LAW03",), on="jax")
def _batch(_: Any) -> None:
    _arguments_of(_JAX_INIT, "variance_scaling", lambda values: values.update(batch_axis=()))
