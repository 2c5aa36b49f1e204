"""The catalogue of optimizers: one row each, with its formula. A new optimizer is one more row.

Defaults: https://keras.io/api/optimizers/. Weight decay, clipping and schedules, which all of them share, are in
``oracle.optimizer_steps``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.errors import InitcheckError
from initcheck.oracle.optimizer_steps import Array, Formula, Number, Stepper, WeightStep
from initcheck.oracle.rounding import Rounded

Settings = Mapping[str, Any]

# Traits that a row may lack only with a reason.
_TRAITS = ("formula", "exact", "continued", "smooth", "drawn", "resettable", "elementwise")
_LACKING = (None, False, ())


@dataclass(frozen=True, eq=False)
class Variant:
    """An optimizer's settings for the nets of the checks of symmetry, under the name in their cells.

    Every variant trains a net of zeros. Nets of any width and nets in two orders take more time, so only some variants
    train them; as those nets are drawn in a frozen order, a variant gives the number of the one that it trains.

    Attributes:
        name: Unique among all variants.
        rate: The learning rate.
        settings: The other settings that are not the optimizer's defaults.
        any_width: The number of its net of zeros and of its net of a constant, of any width.
        reordered: The number of its random net that is trained with its units in two orders.
    """

    name: str
    rate: float = 0.01
    settings: Settings = field(default_factory=dict)
    any_width: int | None = None
    reordered: int | None = None


@dataclass(frozen=True, eq=False)
class Optimizer:
    """One row: the Keras optimizer, its formula, and its traits for checks and engines.

    Attributes:
        name: A class of ``keras.optimizers``.
        source: Paper or documentation of the formula.
        saved: Documented settings that are not its defaults; its configuration must return them.
        defaults: The documented defaults of the settings that its formula reads.
        formula: Its step.
        options: Settings with which its steps are compared with the formula, besides the defaults.
        exact: Such settings that float32 stores exactly, so that only float64's rounding remains.
        version_defaults: Settings whose documented default depends on Keras's version.
        stateful: Whether it keeps state for each weight by default.
        counts_steps: Whether a step depends on the number of steps taken.
        adaptive: Whether it divides by the size of its gradients, and so amplifies errors where they are small.
        every_clip: Whether it is tested with every kind of clipping; the others with one.
        continued: Settings with which a training is saved and continued.
        looked_up: Settings with which an Embedding's weights follow the formula, besides ``version_defaults``.
        since: The first version of Keras that documents it so.
        smooth: The variants whose steps are smooth in the gradient, so that rounding errors stay rounding errors.
        drawn: Whether the small trainings of the checks of determinism may use it.
        resettable: Whether the engines may reset its variables and reuse it, since they are all its state.
        elementwise: Whether each element of a weight moves by its own gradients alone, so that members can be stacked.
        without: The reason for each of ``formula``, ``exact``, ``continued``, ``smooth``, ``drawn``, ``resettable`` and
            ``elementwise`` that it lacks.
    """

    name: str
    source: str
    saved: Settings
    defaults: Settings = field(default_factory=dict)
    formula: Formula | None = None
    options: tuple[Settings, ...] = ()
    exact: Settings | None = None
    version_defaults: tuple[str, ...] = ()
    stateful: bool = True
    counts_steps: bool = False
    adaptive: bool = True
    every_clip: bool = False
    continued: Settings | None = None
    looked_up: Settings = field(default_factory=dict)
    since: str = "2"
    smooth: tuple[Variant, ...] = ()
    drawn: bool = False
    resettable: bool = False
    elementwise: bool = False
    without: Mapping[str, str] = field(default_factory=dict)

    @property
    def identifier(self) -> str:
        """Its string identifier in Keras."""
        return self.name.lower()

    def __post_init__(self) -> None:
        lacking = {trait for trait in _TRAITS if getattr(self, trait) in _LACKING}
        if wrong := lacking ^ set(self.without):
            raise InitcheckError(
                f"optimizer {self.name}: give a reason in `without` for each trait that it lacks, and for no other: "
                f"{', '.join(sorted(wrong))}"
            )


@dataclass(frozen=True)
class Rule:
    """An optimizer with its configuration.

    Attributes:
        optimizer: The catalogue's row.
        config: The arguments that are not its defaults.
        dtype: Of the weights and gradients.
        start: The number of steps taken before the first one.
        graph: Whether its steps are one ``tf.function``, as in ``fit``, or eager.
    """

    optimizer: Optimizer
    config: Settings = field(default_factory=dict)
    dtype: str = "float32"
    start: int = 0
    graph: bool = False

    def __str__(self) -> str:
        given = ", ".join(f"{key}={getattr(value, 'name', value)}" for key, value in self.config.items())
        dtype = f" in {self.dtype}" if self.dtype != "float32" else ""
        start = f" from step {self.start}" if self.start else ""
        return f"{self.optimizer.name}({given}){dtype}{start}{' in a graph' if self.graph else ''}"

    def stepper(self, number: Number = Rounded) -> Stepper:
        """The formula at its first step, over that type of numbers.

        Raises:
            InitcheckError: The row has no formula.
        """
        row = self.optimizer
        if row.formula is None:
            raise InitcheckError(f"optimizer {row.name} has no formula: {row.without['formula']}")
        return Stepper(row.formula, {**row.defaults, **self.config}, start=self.start, number=number)


_NOT_DRAWN = "one more would change what the frozen stream draws"
_NO_CELL = "no cell needs it yet"
_UNTRIED = "a reused one was not compared with a fresh one yet"
_RESUMED = "a training with its saved settings is continued anyway"


def _sgd(step: WeightStep) -> Array:
    down = step.rate * step.gradient
    if not step.settings["momentum"]:
        return step.weight - down
    momentum = step.setting("momentum")
    velocity = step.keep("velocity", momentum * step.slot("velocity", step.gradient) - down)
    return step.weight + (momentum * velocity - down if step.settings["nesterov"] else velocity)


MOMENTA: tuple[Settings, ...] = ({"momentum": 0.9}, {"momentum": 0.7, "nesterov": True})
PLAIN = Variant("SGD", 0.1, any_width=0, reordered=0)
NESTEROV = Variant("Nesterov", 0.05, {"momentum": 0.9, "nesterov": True}, any_width=1)
SGD = Optimizer(
    "SGD",
    "Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html; https://keras.io/api/optimizers/sgd/",
    saved={"momentum": 0.7, "nesterov": True},
    defaults={"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    formula=_sgd,
    options=(*MOMENTA, {"learning_rate": 0.3}, {"momentum": 0.9, "clipnorm": 0.5, "weight_decay": 0.1}),
    exact={"learning_rate": 0.125, "momentum": 0.75, "nesterov": True},
    stateful=False,
    adaptive=False,
    every_clip=True,
    continued={"momentum": 0.9, "nesterov": True, "learning_rate": 0.05},
    smooth=(PLAIN, Variant("Momentum", 0.05, {"momentum": 0.9}, reordered=1), NESTEROV),
    drawn=True,
    resettable=True,
    elementwise=True,
)


def _rmsprop(step: WeightStep) -> Array:
    power = step.average("power", "rho", np.square(step.gradient))
    if step.settings["centered"]:
        power = power - np.square(step.average("mean", "rho", step.gradient))
    change = step.rate * step.gradient / np.sqrt(power + step.setting("epsilon"))
    if step.settings["momentum"]:
        change = step.keep("change", change + step.setting("momentum") * step.slot("change", step.gradient))
    return step.weight - change


RMSPROP = Optimizer(
    "RMSprop",
    "Hinton 2012, lecture 6e; the centered one: Graves 2013, https://arxiv.org/abs/1308.0850",
    saved={"rho": 0.7, "momentum": 0.3, "epsilon": 1e-3, "centered": True},
    defaults={"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    formula=_rmsprop,
    options=(
        {"momentum": 0.5},
        {"centered": True},
        {"learning_rate": 0.01, "rho": 0.8},
        {"rho": 0.95, "momentum": 0.9, "centered": True, "epsilon": 1e-3},
    ),
    exact={"learning_rate": 0.125, "rho": 0.875, "momentum": 0.5, "epsilon": 2.0**-20},
    continued={"rho": 0.8, "momentum": 0.5, "centered": True, "epsilon": 1e-5},
    smooth=(Variant("RMSprop", any_width=3, reordered=3),),
    drawn=True,
    resettable=True,
    elementwise=True,
)


def _adam(step: WeightStep) -> Array:
    mean = step.average("mean", "beta_1", step.gradient)
    power = step.average("power", "beta_2", np.square(step.gradient))
    if step.settings["amsgrad"]:
        power = step.keep("largest", np.maximum(step.slot("largest", power), power))
    rate = step.rate * np.sqrt(step.bias_correction("beta_2")) / step.bias_correction("beta_1")
    return step.weight - rate * mean / (np.sqrt(power) + step.setting("epsilon"))


_ADAM = "Kingma & Ba 2015, https://arxiv.org/abs/1412.6980 (Keras's epsilon is the epsilon hat before its section 2.1)"
_ADAM_DEFAULTS = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
_ADAM_EXACT = {"learning_rate": 0.125, "beta_1": 0.875, "beta_2": 0.9375, "epsilon": 2.0**-20}
_ADAM_SAVED = {"beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-3}

ADAM = Optimizer(
    "Adam",
    f"{_ADAM}; AMSGrad: Reddi et al. 2018, https://arxiv.org/abs/1904.09237",
    saved={**_ADAM_SAVED, "amsgrad": True},
    defaults={**_ADAM_DEFAULTS, "amsgrad": False},
    formula=_adam,
    options=(
        {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95},
        {"amsgrad": True, "beta_2": 0.7},
        {"weight_decay": 0.02},
    ),
    exact=_ADAM_EXACT,
    counts_steps=True,
    every_clip=True,
    continued={"beta_1": 0.8, "beta_2": 0.95, "amsgrad": True},
    smooth=(Variant("Adam", any_width=2, reordered=2),),
    drawn=True,
    resettable=True,
    elementwise=True,
)

ADAMW = Optimizer(
    "AdamW",
    "Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101",
    saved={**_ADAM_SAVED, "amsgrad": True, "weight_decay": 0.1},
    defaults={**_ADAM_DEFAULTS, "amsgrad": False, "weight_decay": 0.004},
    formula=_adam,
    # At the default rate, the default decay is below the rounding error of a weight.
    options=({"learning_rate": 0.5}, {"weight_decay": 0.1, "beta_1": 0.85}, {"amsgrad": True, "beta_2": 0.7}),
    exact={**_ADAM_EXACT, "weight_decay": 0.25},
    counts_steps=True,
    continued={"learning_rate": 0.01, "weight_decay": 0.05},
    smooth=(Variant("AdamW"),),
    drawn=True,
    resettable=True,
    elementwise=True,
)


def _adagrad(step: WeightStep) -> Array:
    total = step.slot("total", step.gradient, step.setting("initial_accumulator_value"))
    total = step.keep("total", total + np.square(step.gradient))
    return step.weight - step.rate * step.gradient / np.sqrt(total + step.setting("epsilon"))


ADAGRAD = Optimizer(
    "Adagrad",
    "Duchi et al. 2011, Adaptive Subgradient Methods",
    saved={"initial_accumulator_value": 0.3, "epsilon": 1e-3},
    defaults={"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7},
    formula=_adagrad,
    options=({"learning_rate": 0.1, "initial_accumulator_value": 0.0},),
    exact={"learning_rate": 0.125, "initial_accumulator_value": 0.125, "epsilon": 2.0**-20},
    continued={"learning_rate": 0.05, "initial_accumulator_value": 0.2},
    smooth=(Variant("Adagrad", any_width=4, reordered=5),),
    drawn=True,
    resettable=True,
    elementwise=True,
)


def _adamax(step: WeightStep) -> Array:
    mean = step.average("mean", "beta_1", step.gradient)
    kept = step.setting("beta_2") * step.slot("norm", step.gradient)
    norm = step.keep("norm", np.maximum(kept, np.absolute(step.gradient)))
    return step.weight - step.rate / step.bias_correction("beta_1") * mean / (norm + step.setting("epsilon"))


ADAMAX = Optimizer(
    "Adamax",
    _ADAM,
    saved=_ADAM_SAVED,
    defaults=_ADAM_DEFAULTS,
    formula=_adamax,
    options=({"beta_1": 0.8, "beta_2": 0.9},),
    exact=_ADAM_EXACT,
    counts_steps=True,
    continued={"learning_rate": 0.02},
    smooth=(Variant("Adamax"),),
    drawn=True,
    resettable=True,
    elementwise=True,
)


def _nadam(step: WeightStep) -> Array:
    beta = step.setting("beta_1")
    mean = step.average("mean", "beta_1", step.gradient)
    power = step.average("power", "beta_2", np.square(step.gradient))
    now, after = (beta * (1.0 - 0.5 * step.power(0.96, step.count + later)) for later in (0, 1))
    product = step.keep("product", step.slots.get("product", step.number(1.0)) * now)
    ahead = after * mean / (1.0 - product * after) + (1.0 - now) * step.gradient / (1.0 - product)
    return step.weight - step.rate * ahead / (np.sqrt(power / step.bias_correction("beta_2")) + step.setting("epsilon"))


NADAM = Optimizer(
    "Nadam",
    "Dozat 2016, Incorporating Nesterov Momentum into Adam, algorithm 2 and the momenta of its section 3.2",
    saved=_ADAM_SAVED,
    defaults=_ADAM_DEFAULTS,
    formula=_nadam,
    options=({"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95},),
    counts_steps=True,
    continued={"learning_rate": 0.02},
    smooth=(Variant("Nadam", reordered=4),),
    drawn=True,
    elementwise=True,
    without={
        "exact": "the base of its momenta is 0.96, which float32 does not store exactly",
        "resettable": "its product of momenta is in no list of variables in Keras 2",
    },
)


def _adadelta(step: WeightStep) -> Array:
    epsilon = step.setting("epsilon")
    power = step.average("power", "rho", np.square(step.gradient))
    change = np.sqrt(step.slot("change", step.gradient) + epsilon) / np.sqrt(power + epsilon) * step.gradient
    step.average("change", "rho", np.square(change))
    return step.weight - step.rate * change


ADADELTA = Optimizer(
    "Adadelta",
    "Zeiler 2012, https://arxiv.org/abs/1212.5701",
    saved={"rho": 0.7, "epsilon": 1e-3},
    defaults={"learning_rate": 0.001, "rho": 0.95, "epsilon": 1e-7},
    formula=_adadelta,
    options=({"learning_rate": 1.0, "rho": 0.8},),
    exact={"learning_rate": 0.125, "rho": 0.875, "epsilon": 2.0**-20},
    continued={"learning_rate": 0.5, "rho": 0.9},
    smooth=(Variant("Adadelta"),),
    drawn=True,
    resettable=True,
    elementwise=True,
)


def _ftrl(step: WeightStep) -> Array:
    # Its learning_rate_power is −½ here: another one would need the bound of a general power.
    before = step.slot("total", step.gradient, step.setting("initial_accumulator_value"))
    total = step.keep("total", before + np.square(step.gradient))
    pull = (np.sqrt(total) - np.sqrt(before)) / step.rate * step.weight
    linear = step.keep("linear", step.slot("linear", step.gradient) + (step.gradient - pull))
    limit = step.setting("l1_regularization_strength")
    return (np.maximum(np.minimum(linear, limit), -limit) - linear) / (np.sqrt(total) / step.rate)


FTRL = Optimizer(
    "Ftrl",
    "McMahan et al. 2013, Ad Click Prediction, algorithm 1; https://keras.io/api/optimizers/ftrl/",
    saved={
        "learning_rate_power": -0.3,
        "initial_accumulator_value": 0.3,
        "l1_regularization_strength": 0.01,
        "l2_regularization_strength": 0.02,
        "l2_shrinkage_regularization_strength": 0.03,
        "beta": 0.1,
    },
    defaults={
        "learning_rate": 0.001,
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
    },
    formula=_ftrl,
    options=({"learning_rate": 0.1, "l1_regularization_strength": 0.01},),
    continued={"learning_rate": 0.05},
    smooth=(Variant("Ftrl"),),
    elementwise=True,
    without={"exact": _NO_CELL, "drawn": _NOT_DRAWN, "resettable": _UNTRIED},
)


def _lion(step: WeightStep) -> Array:
    kept = step.setting("beta_1")
    ahead = kept * step.slot("mean", step.gradient) + (1.0 - kept) * step.gradient
    step.average("mean", "beta_2", step.gradient)
    return step.weight - step.rate * (2.0 * np.heaviside(ahead, 0.5) - 1.0)


LION = Optimizer(
    "Lion",
    "Chen et al. 2023, https://arxiv.org/abs/2302.06675",
    saved={"beta_1": 0.7, "beta_2": 0.95},
    defaults={"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99},
    formula=_lion,
    options=({"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95},),
    exact={"learning_rate": 0.125, "beta_1": 0.875, "beta_2": 0.9375},
    version_defaults=("learning_rate",),  # 0.0001 in Keras 2, 0.001 in Keras 3
    adaptive=False,
    continued={"learning_rate": 0.01},
    elementwise=True,
    without={
        "smooth": "it takes the sign of its mean, which a rounding error can flip",
        "drawn": _NOT_DRAWN,
        "resettable": _UNTRIED,
    },
)


def _adafactor(step: WeightStep) -> Array:
    def mean(values: Array, axis: int | None = None) -> Array:
        count = math.prod(values.shape) if axis is None else values.shape[axis]
        return values.sum(axis=axis, keepdims=axis is not None) / float(count)

    def size(values: Array) -> Array:
        return np.sqrt(mean(np.square(values)))

    kept = 1.0 - step.power_of_count(step.settings["beta_2_decay"])
    power = np.square(step.gradient) + step.setting("epsilon_1")
    if len(power.shape) < 2:
        power = step.keep("power", kept * step.slot("power", power) + (1.0 - kept) * power)
    else:
        for slot, axis in (("rows", -1), ("columns", -2)):
            share = mean(power, axis)
            step.keep(slot, kept * step.slot(slot, share) + (1.0 - kept) * share)
        power = step.slots["rows"] / mean(step.slots["rows"], -2) * step.slots["columns"]
    change = step.gradient / np.sqrt(power)
    change = change / np.maximum(1.0, size(change) / step.setting("clip_threshold"))
    rate = np.minimum(step.rate, step.power_of_count(-0.5))
    return step.weight - np.maximum(step.setting("epsilon_2"), size(step.weight)) * rate * change


ADAFACTOR = Optimizer(
    "Adafactor",
    "Shazeer & Stern 2018, https://arxiv.org/abs/1804.04235, algorithms 4 and 5",
    saved={
        "beta_2_decay": -0.7,
        "epsilon_1": 1e-20,
        "epsilon_2": 0.002,
        "clip_threshold": 1.3,
        "relative_step": False,
    },
    defaults={
        "learning_rate": 0.001,
        "beta_2_decay": -0.8,
        "epsilon_1": 1e-30,
        "epsilon_2": 1e-3,
        "clip_threshold": 1.0,
        "relative_step": True,
    },
    formula=_adafactor,
    options=(
        {"learning_rate": 0.4, "beta_2_decay": -0.5, "clip_threshold": 0.25},
        {"epsilon_1": 1e-6, "epsilon_2": 0.1},
    ),
    exact={"learning_rate": 0.375, "epsilon_1": 2.0**-20, "epsilon_2": 0.125, "clip_threshold": 0.75},
    counts_steps=True,
    without={
        "continued": _RESUMED,
        "smooth": "no tolerance is derived for its epsilon, the root of 1e-30",
        "drawn": _NOT_DRAWN,
        "resettable": _UNTRIED,
        "elementwise": "it keeps means over rows and columns, and clips the update of a weight as one",
    },
)


def _lamb(step: WeightStep) -> Array:
    def norm(values: Array) -> Array:
        return np.sqrt(np.square(values).sum())

    mean = step.average("mean", "beta_1", step.gradient) / step.bias_correction("beta_1")
    power = step.average("power", "beta_2", np.square(step.gradient)) / step.bias_correction("beta_2")
    change = mean / (np.sqrt(power) + step.setting("epsilon"))
    if (step.weight != 0).any() and (change != 0).any():
        change = norm(step.weight) / norm(change) * change
    return step.weight - step.rate * change


LAMB = Optimizer(
    "Lamb",
    "You et al. 2020, https://arxiv.org/abs/1904.00962, algorithm 2, with phi(z) = z",
    saved=_ADAM_SAVED,
    defaults=_ADAM_DEFAULTS,
    formula=_lamb,
    options=({"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95},),
    exact=_ADAM_EXACT,
    since="3.5",
    counts_steps=True,
    without={
        "continued": _RESUMED,
        "smooth": "its rate jumps where a weight's norm is 0",
        "drawn": _NOT_DRAWN,
        "resettable": _UNTRIED,
        "elementwise": "it divides by the norm of the weight",
    },
)


def _muon(step: WeightStep) -> Array:
    if len(step.gradient.shape) != 2:
        mean = step.average("mean", "adam_beta_1", step.gradient)
        power = step.average("power", "adam_beta_2", np.square(step.gradient))
        rate = step.rate * step.setting("adam_lr_ratio")
        rate = rate * np.sqrt(step.bias_correction("adam_beta_2")) / step.bias_correction("adam_beta_1")
        return step.weight - rate * mean / (np.sqrt(power) + step.setting("epsilon"))
    momentum = step.setting("momentum")
    mean = step.keep("mean", momentum * step.slot("mean", step.gradient) + step.gradient)
    x = step.gradient + momentum * mean if step.settings["nesterov"] else mean
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (np.sqrt(np.square(x).sum()) + 1e-7)
    a, b, c = map(step.setting, ("muon_a", "muon_b", "muon_c"))
    for _ in range(step.settings["ns_steps"]):
        squares = x @ x.T
        x = a * x + (b * squares + (c * squares) @ squares) @ x
    if step.settings["rms_rate"] is not None:
        x = x * (step.setting("rms_rate") * np.sqrt(step.number(float(max(x.shape)))))
    return step.weight - step.rate * (x.T if tall else x)


MUON = Optimizer(
    "Muon",
    "Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the rate: Liu et al. 2025, "
    "https://arxiv.org/abs/2502.16982, section 2.2; AdamW for what is no matrix: https://keras.io/api/optimizers/muon",
    saved={
        **{"adam_beta_1": 0.7, "adam_beta_2": 0.95, "epsilon": 1e-3, "adam_weight_decay": 0.1, "adam_lr_ratio": 0.5},
        **{"muon_a": 3.0, "muon_b": -4.0, "muon_c": 1.5, "momentum": 0.8, "ns_steps": 3, "nesterov": False},
        **{"exclude_layers": ["head"], "exclude_embeddings": False, "rms_rate": 0.3},
    },
    defaults={
        **{"learning_rate": 0.001, "adam_beta_1": 0.9, "adam_beta_2": 0.999, "epsilon": 1e-7, "adam_lr_ratio": 1},
        **{"muon_a": 3.4445, "muon_b": -4.775, "muon_c": 2.0315, "momentum": 0.95, "ns_steps": 5, "nesterov": True},
        **{"weight_decay": 0.004, "adam_weight_decay": 0.004, "rms_rate": 0.2},
    },
    formula=_muon,
    options=(
        {"learning_rate": 0.02, "momentum": 0.8, "nesterov": False, "ns_steps": 2, "rms_rate": None},
        {"adam_lr_ratio": 0.5, "adam_beta_1": 0.8, "adam_beta_2": 0.95, "ns_steps": 1},
        {
            "weight_decay": 0.1,
            "adam_weight_decay": 0.1,
            "learning_rate": 0.5,
            "muon_a": 2.0,
            "muon_b": -1.5,
            "muon_c": 0.5,
        },
    ),
    exact={
        **{
            "learning_rate": 0.125,
            "adam_beta_1": 0.875,
            "adam_beta_2": 0.9375,
            "epsilon": 2.0**-20,
            "momentum": 0.9375,
        },
        **{"muon_a": 3.4375, "muon_b": -4.75, "muon_c": 2.0, "rms_rate": None},  # the rate's factor is in float32
        **{"weight_decay": 0.25, "adam_weight_decay": 0.25},
    },
    looked_up={"exclude_embeddings": False},
    since="3.13",
    counts_steps=True,
    without={
        "continued": _RESUMED,
        "smooth": "its iterations enlarge rounding errors of a gradient's smallest parts 3.4 times each",
        "drawn": _NOT_DRAWN,
        "resettable": _UNTRIED,
        "elementwise": "it orthogonalizes the update of a matrix",
    },
)


def _schedule_free(step: WeightStep) -> Array:
    start = step.slots.get("momentum", step.weight)
    kept = step.setting("beta_1")
    power = step.average("power", "beta_2", np.square(step.gradient)) / step.bias_correction("beta_2")
    change = step.rate * step.gradient / (np.sqrt(power) + step.setting("epsilon"))
    momentum = step.keep("momentum", start - change)
    average = (step.weight - (1.0 - kept) * start) / kept
    share = 1.0 / step.number(float(step.count))
    average = (1.0 - share) * average + share * momentum
    return (1.0 - kept) * momentum + kept * average


SCHEDULE_FREE = Optimizer(
    "ScheduleFreeAdamW",
    "Defazio et al. 2024, https://arxiv.org/abs/2405.15682, equations 9 to 11 with the step of section 4.3",
    saved={**_ADAM_SAVED, "warmup_steps": 3},
    defaults={"learning_rate": 0.0025, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
    formula=_schedule_free,
    options=({"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95},),
    exact=_ADAM_EXACT,
    since="3.14",
    counts_steps=True,
    elementwise=True,
    without={
        "continued": _RESUMED,
        "smooth": _NO_CELL,
        "drawn": _NOT_DRAWN,
        "resettable": "one state begins with the weights, so that resetting it to zero is another start",
    },
)

OPTIMIZERS = tuple(row for row in globals().values() if isinstance(row, Optimizer))
# Variants by name, as the rules that train.
SMOOTH: Mapping[str, Rule] = MappingProxyType(
    {
        variant.name: Rule(row, {"learning_rate": variant.rate, **variant.settings})
        for row in OPTIMIZERS
        for variant in row.smooth
    }
)
