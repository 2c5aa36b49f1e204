"""Family arithmetic: training steps, layers, and layers under masks, compared with an oracle written in NumPy.

Every tolerance is the oracle's own: a running error analysis of the formula in float32 (``oracle/rounding.py``), times
``OTHER_ORDER`` for another order of the same operations. Nothing here is random but the numbers put in, and no verdict
has a false-alarm rate.
"""

from initcheck.checks.arithmetic import (
    half_precision,
    layer_formulas,
    lengths_of_inputs,
    mask_formulas,
    training_steps,
)

__all__ = ["half_precision", "layer_formulas", "lengths_of_inputs", "mask_formulas", "training_steps"]
