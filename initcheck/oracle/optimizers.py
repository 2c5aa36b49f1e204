"""The steps of optimizers and the schedules of learning rates, written from the papers and Keras's documentation.

Sources: SGD with momentum: Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html, and
https://keras.io/api/optimizers/sgd/; RMSprop: Hinton 2012, lecture 6e, and Graves 2013, https://arxiv.org/abs/1308.0850,
for the centered one; Adam and Adamax: Kingma & Ba 2015, https://arxiv.org/abs/1412.6980 (Keras's epsilon is the
"epsilon hat" before its section 2.1); AMSGrad: Reddi et al. 2018, https://arxiv.org/abs/1904.09237; AdamW: Loshchilov &
Hutter 2019, https://arxiv.org/abs/1711.05101; Nadam: Dozat 2016, Incorporating Nesterov Momentum into Adam, algorithm 2
and the schedule of momenta of its section 3.2; Adagrad: Duchi et al. 2011; Adadelta: Zeiler 2012,
https://arxiv.org/abs/1212.5701; Lion: Chen et al. 2023, https://arxiv.org/abs/2302.06675; Ftrl: McMahan et al. 2013, Ad
Click Prediction, algorithm 1, and https://keras.io/api/optimizers/ftrl/. Defaults: https://keras.io/api/optimizers/.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from initcheck.oracle.rounding import TINY, UNIT, Rounded

Array = Any
Number = Callable[[float], Any]


@dataclass(frozen=True)
class Schedule:
    """A documented schedule of the learning rate: the name of its class and its arguments."""

    name: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """An optimizer and what it is given.

    Attributes:
        name: Name of its class.
        config: The arguments that are not its defaults.
        dtype: Of the weights and gradients.
        start: How many steps it has counted before the first one.
        graph: Whether its steps are one ``tf.function``, as in ``fit``, or eager.
    """

    name: str
    config: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    dtype: str = "float32"
    start: int = 0
    graph: bool = False

    def __str__(self) -> str:
        told = ", ".join(f"{key}={getattr(value, 'name', value)}" for key, value in self.config.items())
        dtype = f" in {self.dtype}" if self.dtype != "float32" else ""
        start = f" from step {self.start}" if self.start else ""
        return f"{self.name}({told}){dtype}{start}{' in a graph' if self.graph else ''}"


_DEFAULTS: dict[str, dict[str, Any]] = {
    "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
    "RMSprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "Adam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False},
    "AdamW": {
        "learning_rate": 0.001,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
        "amsgrad": False,
        "weight_decay": 0.004,
    },
    "Adamax": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
    "Adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "Adadelta": {"learning_rate": 0.001, "rho": 0.95, "epsilon": 1e-7},
    "Nadam": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
    "Lion": {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99},
    "Ftrl": {
        "learning_rate": 0.001,
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
    },
}
OPTIMIZERS = tuple(_DEFAULTS)


class Optimizer:
    """An optimizer's state, and its step.

    Args:
        rule: Which optimizer.
        number: What a hyperparameter is: ``Rounded`` knows what storing it in float32 costs, ``float`` is exact.
    """

    def __init__(self, rule: Rule, number: Number = Rounded) -> None:
        self._rule = rule
        self._number = number
        self._set = {**_DEFAULTS[rule.name], **rule.config}
        self._slots: dict[tuple[str, int], Array] = {}
        self._steps = rule.start

    def step(self, weights: Sequence[Array], gradients: Sequence[Array]) -> list[Array]:
        """The weights after one more step: clipping, then weight decay, then the rule's own."""
        rate = self._set["learning_rate"]
        rate = learning_rate(rate, self._steps, self._number) if isinstance(rate, Schedule) else self._number(rate)
        self._steps += 1
        update: Any = {"AdamW": self._adam}.get(self._rule.name) or getattr(self, f"_{self._rule.name.lower()}")
        stepped = []
        for index, (weight, gradient) in enumerate(zip(weights, self._clip(gradients), strict=True)):
            if self._set.get("weight_decay"):
                weight = weight - weight * (self._number(self._set["weight_decay"]) * rate)
            # Ftrl says where the weight goes; all others, by how much.
            ftrl = self._rule.name == "Ftrl"
            stepped.append(
                self._ftrl(index, weight, gradient, rate) if ftrl else weight + update(index, gradient, rate)
            )
        return stepped

    def _clip(self, gradients: Sequence[Array]) -> list[Array]:
        if self._set.get("clipvalue"):
            limit = self._number(self._set["clipvalue"])
            return [np.maximum(np.minimum(one, limit), -limit) for one in gradients]
        if self._set.get("clipnorm"):
            limit = self._number(self._set["clipnorm"])
            return [one * (limit / np.maximum(_norm([one]), limit)) for one in gradients]
        if self._set.get("global_clipnorm"):
            limit = self._number(self._set["global_clipnorm"])
            shrink = limit / np.maximum(_norm(gradients), limit)
            return [one * shrink for one in gradients]
        return list(gradients)

    def _slot(self, name: str, index: int, like: Array, fill: float = 0.0) -> Array:
        return self._slots.get((name, index), fill + 0.0 * like)

    def _keep(self, name: str, index: int, value: Array) -> Array:
        self._slots[name, index] = value
        return value

    def _average(self, name: str, index: int, share: str, value: Array) -> Array:
        """A moving average that keeps so much of its old value."""
        kept = self._number(self._set[share])
        return self._keep(name, index, kept * self._slot(name, index, value) + (1.0 - kept) * value)

    def _unbias(self, share: str) -> Array:
        """The weight of all gradients so far in a moving average that began with zero."""
        return 1.0 - self._power(self._set[share], self._steps)

    def _power(self, base: float, exponent: int) -> Array:
        """A hyperparameter's power, as well known as after that many multiplications."""
        told = self._number(base)
        if not isinstance(told, Rounded):
            return told**exponent
        power = base**exponent
        error = base ** (exponent - 1) * told.error + power * UNIT
        return Rounded(power, exponent * error + TINY)

    def _sgd(self, index: int, gradient: Array, rate: Array) -> Array:
        if not self._set["momentum"]:
            return -(rate * gradient)
        momentum = self._number(self._set["momentum"])
        velocity = momentum * self._slot("velocity", index, gradient) - rate * gradient
        self._keep("velocity", index, velocity)
        return momentum * velocity - rate * gradient if self._set["nesterov"] else velocity

    def _rmsprop(self, index: int, gradient: Array, rate: Array) -> Array:
        power = self._average("power", index, "rho", np.square(gradient))
        if self._set["centered"]:
            power = power - np.square(self._average("mean", index, "rho", gradient))
        change = rate * gradient / np.sqrt(power + self._number(self._set["epsilon"]))
        if self._set["momentum"]:
            change = change + self._number(self._set["momentum"]) * self._slot("momentum", index, gradient)
            self._keep("momentum", index, change)
        return -change

    def _adam(self, index: int, gradient: Array, rate: Array) -> Array:
        mean = self._average("mean", index, "beta_1", gradient)
        power = self._average("power", index, "beta_2", np.square(gradient))
        if self._set["amsgrad"]:
            power = self._keep("largest", index, np.maximum(self._slot("largest", index, power), power))
        rate = rate * np.sqrt(self._unbias("beta_2")) / self._unbias("beta_1")
        return -(rate * mean / (np.sqrt(power) + self._number(self._set["epsilon"])))

    def _nadam(self, index: int, gradient: Array, rate: Array) -> Array:
        beta = self._number(self._set["beta_1"])
        mean = self._average("mean", index, "beta_1", gradient)
        power = self._average("power", index, "beta_2", np.square(gradient))
        now, after = (beta * (1.0 - 0.5 * self._power(0.96, self._steps + later)) for later in (0, 1))
        product = self._keep("product", index, self._slots.get(("product", index), self._number(1.0)) * now)
        ahead = after * mean / (1.0 - product * after) + (1.0 - now) * gradient / (1.0 - product)
        return -(rate * ahead / (np.sqrt(power / self._unbias("beta_2")) + self._number(self._set["epsilon"])))

    def _lion(self, index: int, gradient: Array, rate: Array) -> Array:
        kept = self._number(self._set["beta_1"])
        ahead = kept * self._slot("mean", index, gradient) + (1.0 - kept) * gradient
        self._average("mean", index, "beta_2", gradient)
        return -(rate * (2.0 * np.heaviside(ahead, 0.5) - 1.0))

    def _ftrl(self, index: int, weight: Array, gradient: Array, rate: Array) -> Array:
        # Its learning_rate_power is −½ here: another one would need the bound of a general power.
        before = self._slot("total", index, gradient, self._number(self._set["initial_accumulator_value"]))
        total = self._keep("total", index, before + np.square(gradient))
        pull = (np.sqrt(total) - np.sqrt(before)) / rate * weight
        linear = self._keep("linear", index, self._slot("linear", index, gradient) + (gradient - pull))
        limit = self._number(self._set["l1_regularization_strength"])
        return (np.maximum(np.minimum(linear, limit), -limit) - linear) / (np.sqrt(total) / rate)

    def _adamax(self, index: int, gradient: Array, rate: Array) -> Array:
        mean = self._average("mean", index, "beta_1", gradient)
        kept = self._number(self._set["beta_2"]) * self._slot("norm", index, gradient)
        norm = self._keep("norm", index, np.maximum(kept, np.absolute(gradient)))
        return -(rate / self._unbias("beta_1") * mean / (norm + self._number(self._set["epsilon"])))

    def _adagrad(self, index: int, gradient: Array, rate: Array) -> Array:
        total = self._slot("total", index, gradient, self._number(self._set["initial_accumulator_value"]))
        total = self._keep("total", index, total + np.square(gradient))
        return -(rate * gradient / np.sqrt(total + self._number(self._set["epsilon"])))

    def _adadelta(self, index: int, gradient: Array, rate: Array) -> Array:
        epsilon = self._number(self._set["epsilon"])
        power = self._average("power", index, "rho", np.square(gradient))
        change = np.sqrt(self._slot("change", index, gradient) + epsilon) / np.sqrt(power + epsilon) * gradient
        self._average("change", index, "rho", np.square(change))
        return -(rate * change)


def _norm(arrays: Sequence[Array]) -> Array:
    total = np.square(arrays[0]).sum()
    for one in arrays[1:]:
        total = total + np.square(one).sum()
    return np.sqrt(total)


def learning_rate(schedule: Schedule, step: int, number: Number = Rounded) -> Array:
    """The learning rate of the step of that number, counted from 0.

    Source: https://keras.io/api/optimizers/learning_rate_schedules/, where each class states its formula.
    """
    told = schedule.config
    if schedule.name == "PiecewiseConstantDecay":
        return number(told["values"][sum(step > edge for edge in told["boundaries"])])
    first = told["initial_learning_rate"]
    if schedule.name == "CosineDecayRestarts":
        steps = told["first_decay_steps"]
        while step >= steps:
            step, steps, first = step - steps, steps * told.get("t_mul", 2.0), first * told.get("m_mul", 1.0)
        alpha, start = told.get("alpha", 0.0), told["initial_learning_rate"]
        cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
        return _told((1 - alpha) * first * cosine + alpha * start, number, floor=start)
    steps = told["decay_steps"]
    if schedule.name == "ExponentialDecay":
        elapsed = step // steps if told.get("staircase") else step / steps
        return _told(first * told["decay_rate"] ** elapsed, number)
    if schedule.name == "InverseTimeDecay":
        elapsed = step // steps if told.get("staircase") else step / steps
        return _told(first / (1 + told["decay_rate"] * elapsed), number)
    if schedule.name == "PolynomialDecay":
        if told.get("cycle"):
            steps = steps * max(1, math.ceil(step / steps))
        left = (1 - min(step, steps) / steps) ** told.get("power", 1.0)
        last = told.get("end_learning_rate", 0.0001)
        return _told((first - last) * left + last, number, floor=first)  # 1 − step/steps cancels
    if (target := told.get("warmup_target")) is not None:
        if step < told["warmup_steps"]:
            return _told(first + (target - first) * step / told["warmup_steps"], number, floor=first)
        first, step = target, step - told["warmup_steps"]
    cosine = 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))
    alpha = told.get("alpha", 0.0)
    return _told(first * ((1 - alpha) * cosine + alpha), number, floor=first)


def _told(rate: float, number: Number, floor: float = 0.0) -> Array:
    """A rate computed in float32 by a handful of operations, one of them a power or a cosine."""
    if number is not Rounded:
        return number(rate)
    return Rounded(rate, 2.0**-24 * (16 * abs(rate) + 4 * floor))
