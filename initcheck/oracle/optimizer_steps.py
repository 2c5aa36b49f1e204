"""The step of an optimizer, whatever its formula, and the schedules of learning rates, as Keras documents them.

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
    """One step of one weight, as a formula is given it.

    Attributes:
        settings: Of the optimizer, by name.
        number: What a hyperparameter is: ``Rounded`` knows what storing it in float32 costs, ``float`` is exact.
        count: The number of the step, counted from 1.
        slots: What the optimizer keeps of this weight, by name.
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
        """What was kept under that name; at first ``fill``, in the shape of ``like``."""
        return self.slots.get(name, fill + 0.0 * like)

    def keep(self, name: str, value: Array) -> Array:
        """The value, which is kept under that name."""
        self.slots[name] = value
        return value

    def average(self, name: str, share: str, value: Array) -> Array:
        """A moving average that keeps so much of its old value; that setting says how much."""
        kept = self.setting(share)
        return self.keep(name, kept * self.slot(name, value) + (1.0 - kept) * value)

    def unbias(self, share: str) -> Array:
        """The weight of all gradients so far in a moving average that began with zero."""
        return 1.0 - self.power(self.settings[share], self.count)

    def power(self, base: float, exponent: int) -> Array:
        """A hyperparameter's power, as well known as after that many multiplications."""
        one = self.number(base)
        if not isinstance(one, Rounded):
            return one**exponent
        power = base**exponent
        error = base ** (exponent - 1) * one.error + power * UNIT
        return Rounded(power, exponent * error + TINY)


Formula = Callable[[WeightStep], Array]


class Stepper:
    """Takes an optimizer's steps, and keeps its state.

    Args:
        formula: A weight after one step.
        settings: Those that the formula reads, and those that all optimizers share.
        start: How many steps it has counted before the first one.
        number: What a hyperparameter is: ``Rounded`` knows what storing it in float32 costs, ``float`` is exact.
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
