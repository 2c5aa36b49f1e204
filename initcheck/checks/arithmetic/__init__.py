"""Family arithmetic: training steps, layers, layers under masks and models, compared with an oracle written in NumPy.

Every tolerance is the oracle's own: a running error analysis of the formula in float32 (``oracle/rounding.py``), times
``OTHER_ORDER`` for another order of the same operations. Nothing here is random but the numbers put in, and no verdict
has a false-alarm rate.
"""

from initcheck.checks.arithmetic import (
    around_steps,
    composed_models,
    followed_callbacks,
    half_precision,
    layer_formulas,
    lengths_of_inputs,
    losses_and_metrics,
    mask_formulas,
    trainers,
    training_steps,
)

__all__ = [
    "around_steps",
    "composed_models",
    "followed_callbacks",
    "half_precision",
    "layer_formulas",
    "lengths_of_inputs",
    "losses_and_metrics",
    "mask_formulas",
    "trainers",
    "training_steps",
]
