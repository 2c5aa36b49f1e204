"""Gradients through time: by how much a recurrent layer changes them from its last step back to its first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from initcheck.engines.probed_passes import LayerPass, Values
from initcheck.models.diagnosis import FALSE_ALARM_RATE, ModelFinding
from initcheck.models.signal_depth import TOO_FAR
from initcheck.statistics.t_intervals import lower_end, mean_over

EXPLODE_IN_TIME = "gradients that explode through time"
_LEAST_STEPS = 4


def find_in_time(calls: Sequence[Sequence[LayerPass]], names: Sequence[str]) -> tuple[list[ModelFinding], list[str]]:
    """Recurrent layers whose gradients explode on the way back: a finding; those that vanish: a note.

    A gradient that vanishes over tens of steps is what Keras's defaults give, too: a sigmoid of a forget gate's bias
    of 1 keeps 0.73 a step. One that explodes is not: orthogonal recurrent kernels keep its norm at most. What comes to
    each step from later outputs adds up by as much as there are steps, half of it over the first half of them, while an
    explosion multiplies on: what counts is twice the smaller of both halves' logarithms.

    Args:
        calls: The passes of each call, under several seeds.
        names: The path of each call.
    """
    judged = [place for place, same in enumerate(calls) if all(_is_judged(call.by_step) for call in same)]
    findings, notes = [], []
    for place in judged:
        sizes = np.array([_size(call.by_step) for call in calls[place]])
        mean = mean_over([float(size) for size in sizes])
        steps = len(calls[place][0].by_step)
        factor = f"{_power(mean.value)} [{_power(mean.low)}, {_power(mean.high)}] over {steps} steps"
        far = math.log(TOO_FAR)
        if len(sizes) > 1 and lower_end(sizes, FALSE_ALARM_RATE / len(judged)) > far:
            findings.append(
                ModelFinding(
                    EXPLODE_IN_TIME,
                    names[place],
                    f"on the way back the gradient's norm changes by {factor} ({len(sizes)} reseeds, 95 % interval; a "
                    f"finding beyond {TOO_FAR:g}, at a false-alarm rate of {FALSE_ALARM_RATE:g} for all layers)",
                    "draw the recurrent kernel with orthogonal, as Keras does: it keeps the norm at most; clipnorm "
                    "bounds what is left",
                )
            )
        elif mean.value < -far:
            notes.append(
                f"On the way back through {names[place]} the gradient's norm changes by {factor}: what lies so far "
                "back is learned slowly, if at all. Keras's defaults may do that, too: no finding."
            )
    return findings, notes


def _is_judged(norms: Values) -> bool:
    seen = norms[norms > 0]
    return len(seen) >= _LEAST_STEPS and bool(np.isfinite(seen).all())


def _size(norms: Values) -> float:
    """The logarithm of the factor back in time, over the steps that have a gradient: padding has none."""
    logs = np.log(norms[norms > 0])
    middle = logs[len(logs) // 2]
    early, late = float(logs[0] - middle), float(middle - logs[-1])
    return 2 * min(early, late, key=abs) if early * late > 0 else 0.0


def _power(log: float) -> str:
    return f"{math.exp(log):.2g}" if abs(log) < 700 else f"e^{log:.0f}"
