"""Family arithmetic: training steps, layers, layers under masks and models, compared with an oracle written in NumPy.

Every tolerance is the oracle's own: a running error analysis of the formula in float32 (``oracle/rounding.py``), times
``OTHER_ORDER`` for another order of the same operations. Nothing here is random but the numbers put in, and no verdict
has a false-alarm rate.
"""

from initcheck.checks.arithmetic import (
    composed_models,
    followed_callbacks,
    half_precision,
    layer_formulas,
    lengths_of_inputs,
    mask_formulas,
    training_steps,
)

__all__ = [
    "composed_models",
    "followed_callbacks",
    "half_precision",
    "layer_formulas",
    "lengths_of_inputs",
    "mask_formulas",
    "training_steps",
]
