"""Optimizer steps for any formula, and learning-rate schedules, as Keras documents them.

The formulas are in ``catalog.optimizers``, each beside its row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class WeightStep:
    """One step of one weight: the input of a formula.

    Attributes:
        settings: Of the optimizer, by name.
        number: The type of a hyperparameter: ``Rounded`` adds the error of storing it in float32, ``float`` none.
        count: The number of the step, counted from 1.
        slots: The optimizer's state for this weight, by name.
        weight: Before the step, decayed.
        gradient: Clipped.
        rate: The learning rate.
    """

    settings: Mapping[str, Any]
    number: Number
    count: int
    slots: dict[str, Array]
    weight: Array
    gradient: Array
    rate: Array

    def setting(self, name: str) -> Array:
        """A hyperparameter as a number."""
        return self.number(self.settings[name])

    def slot(self, name: str, like: Array, fill: float = 0.0) -> Array:
        """The state of that name; at first ``fill``, in the shape of ``like``."""
        return self.slots.get(name, fill + 0.0 * like)

    def keep(self, name: str, value: Array) -> Array:
        """Stores the value as the state of that name, and returns it."""
        self.slots[name] = value
        return value

    def average(self, name: str, decay: str, value: Array) -> Array:
        """The updated moving average; the setting ``decay`` is the share of its old value that it keeps."""
        kept = self.setting(decay)
        return self.keep(name, kept * self.slot(name, value) + (1.0 - kept) * value)

    def bias_correction(self, decay: str) -> Array:
        """The total weight of all gradients so far in a moving average that began with zero."""
        return 1.0 - self.power(self.settings[decay], self.count)

    def power_of_count(self, exponent: float) -> Array:
        """The number of the step, to that power."""
        power = float(self.count) ** exponent
        if self.number is not Rounded:
            return self.number(power)
        # float32 stores the exponent, whose error the logarithm enlarges, and computes a power.
        return Rounded(power, UNIT * power * (8.0 + abs(exponent) * math.log(self.count)))

    def power(self, base: float, exponent: int) -> Array:
        """A hyperparameter's power, with the error of that many multiplications."""
        one = self.number(base)
        if not isinstance(one, Rounded):
            return one**exponent
        power = base**exponent
        error = base ** (exponent - 1) * one.error + power * UNIT
        return Rounded(power, exponent * error + TINY)


Formula = Callable[[WeightStep], Array]


class Stepper:
    """Runs an optimizer's steps and keeps its state.

    Args:
        formula: A weight after one step.
        settings: Of the formula, and those that all optimizers share.
        start: The number of steps taken before the first one.
        number: The type of a hyperparameter: ``Rounded`` adds the error of storing it in float32, ``float`` none.
    """

    def __init__(
        self, formula: Formula, settings: Mapping[str, Any], *, start: int = 0, number: Number = Rounded
    ) -> None:
        self._formula = formula
        self._number = number
        self._settings = settings
        self._steps = start
        self.slots: dict[int, dict[str, Array]] = {}

    def step(self, weights: Sequence[Array], gradients: Sequence[Array]) -> list[Array]:
        """The weights after one more step: clipping, then weight decay, then the formula."""
        rate = self._settings["learning_rate"]
        rate = learning_rate(rate, self._steps, self._number) if isinstance(rate, Schedule) else self._number(rate)
        self._steps += 1
        stepped = []
        for index, (weight, gradient) in enumerate(zip(weights, self._clip(gradients), strict=True)):
            if self._settings.get("weight_decay"):
                weight = weight - weight * (self._number(self._settings["weight_decay"]) * rate)
            slots = self.slots.setdefault(index, {})
            step = WeightStep(self._settings, self._number, self._steps, slots, weight, gradient, rate)
            stepped.append(self._formula(step))
        return stepped

    def _clip(self, gradients: Sequence[Array]) -> list[Array]:
        if self._settings.get("clipvalue"):
            limit = self._number(self._settings["clipvalue"])
            return [np.maximum(np.minimum(one, limit), -limit) for one in gradients]
        if self._settings.get("clipnorm"):
            limit = self._number(self._settings["clipnorm"])
            return [one * (limit / np.maximum(_norm([one]), limit)) for one in gradients]
        if self._settings.get("global_clipnorm"):
            limit = self._number(self._settings["global_clipnorm"])
            shrink = limit / np.maximum(_norm(gradients), limit)
            return [one * shrink for one in gradients]
        return list(gradients)


def _norm(arrays: Sequence[Array]) -> Array:
    total = np.square(arrays[0]).sum()
    for one in arrays[1:]:
        total = total + np.square(one).sum()
    return np.sqrt(total)


def learning_rate(schedule: Schedule, step: int, number: Number = Rounded) -> Array:
    """The learning rate at that step, counted from 0.

    Source: https://keras.io/api/optimizers/learning_rate_schedules/, where each class states its formula.
    """
    config = schedule.config
    if schedule.name == "PiecewiseConstantDecay":
        return number(config["values"][sum(step > edge for edge in config["boundaries"])])
    first = config["initial_learning_rate"]
    if schedule.name == "CosineDecayRestarts":
        steps = config["first_decay_steps"]
        while step >= steps:
            step, steps, first = step - steps, steps * config.get("t_mul", 2.0), first * config.get("m_mul", 1.0)
        alpha, start = config.get("alpha", 0.0), config["initial_learning_rate"]
        cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
        return _rounded_rate((1 - alpha) * first * cosine + alpha * start, number, floor=start)
    steps = config["decay_steps"]
    if schedule.name == "ExponentialDecay":
        elapsed = step // steps if config.get("staircase") else step / steps
        return _rounded_rate(first * config["decay_rate"] ** elapsed, number)
    if schedule.name == "InverseTimeDecay":
        elapsed = step // steps if config.get("staircase") else step / steps
        return _rounded_rate(first / (1 + config["decay_rate"] * elapsed), number)
    if schedule.name == "PolynomialDecay":
        if config.get("cycle"):
            steps = steps * max(1, math.ceil(step / steps))
        left = (1 - min(step, steps) / steps) ** config.get("power", 1.0)
        last = config.get("end_learning_rate", 0.0001)
        return _rounded_rate((first - last) * left + last, number, floor=first)  # 1 − step/steps cancels
    if (target := config.get("warmup_target")) is not None:
        if step < config["warmup_steps"]:
            return _rounded_rate(first + (target - first) * step / config["warmup_steps"], number, floor=first)
        first, step = target, step - config["warmup_steps"]
    cosine = 0.5 * (1 + math.cos(math.pi * min(step, steps) / steps))
    alpha = config.get("alpha", 0.0)
    return _rounded_rate(first * ((1 - alpha) * cosine + alpha), number, floor=first)


def _rounded_rate(rate: float, number: Number, floor: float = 0.0) -> Array:
    """A rate computed in float32 by a handful of operations, one of them a power or a cosine."""
    if number is not Rounded:
        return number(rate)
    return Rounded(rate, 2.0**-24 * (16 * abs(rate) + 4 * floor))
