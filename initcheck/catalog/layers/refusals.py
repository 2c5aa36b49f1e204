"""Arguments that a layer is documented to refuse where it is made.

Sources: each layer's page of https://keras.io/api/layers/ ("Positive integer", "Float between 0 and 1", "One of …").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """Values that no layer takes for an argument.

    Attributes:
        argument: Its name, or how it ends if that begins with an underscore.
        values: Each is given by itself.
        excepted: The layers that have the argument and look at it later, or never.
        only: The layers that are looked at, if not all.
    """

    argument: str
    values: tuple[Any, ...]
    excepted: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    def concerns(self, layer: str, argument: str) -> bool:
        """Whether that argument of that layer must be refused."""
        named = argument.endswith(self.argument) if self.argument.startswith("_") else argument == self.argument
        return named and layer not in self.excepted and (not self.only or layer in self.only)


_COUNT: tuple[Any, ...] = (0, -1)
_WHOLE: tuple[Any, ...] = (0, -1, 1.5)
_STEPS: tuple[Any, ...] = (-1, 1.5)
_RECURRENT_IMAGES = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
_POOLING = tuple(f"{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2, 3))

SIZES = (
    Refusal("units", _COUNT),
    Refusal("units", (1.5,), only=("Dense",)),
    Refusal("filters", _COUNT, _RECURRENT_IMAGES),
    Refusal("groups", (0, 1.5)),
    Refusal("groups", (-1,), ("GroupNormalization",)),
    Refusal("depth_multiplier", _COUNT),
    Refusal("pool_size", _COUNT),
    Refusal("size", _COUNT),
    Refusal("n", _COUNT),
    Refusal("kernel_size", _STEPS, ("RandomGaussianBlur",)),
    Refusal("dilation_rate", _STEPS),
    Refusal("strides", _STEPS, _POOLING),
    Refusal("power_iterations", _COUNT),
    Refusal("cropping", _STEPS),
    *(Refusal(name, _WHOLE) for name in ("num_heads", "key_dim", "value_dim", "sliding_window")),
    *(Refusal(name, _WHOLE) for name in ("input_dim", "output_dim")),
)
RANGES = (
    Refusal("rate", (-0.5, 1.5)),
    Refusal("stddev", (-1.0,)),
    Refusal("negative_slope", (-1.0,)),
    Refusal("threshold", (-1.0,)),
    Refusal("max_value", (-1.0,)),
    *(Refusal(name, (-1.0,)) for name in ("l1", "l2")),
    Refusal("axis", (1.5,), only=("LayerNormalization", "UnitNormalization", "Normalization")),
)
_NO_WORD = ("nonsense",)
WORDS = (
    Refusal("activation", _NO_WORD),
    Refusal("recurrent_activation", _NO_WORD),
    Refusal("_initializer", _NO_WORD),
    Refusal("_regularizer", _NO_WORD, ("SimpleRNN",)),  # which takes no notice of its activity_regularizer
    Refusal("_constraint", _NO_WORD),
    Refusal("padding", _NO_WORD, _POOLING),
    Refusal("merge_mode", _NO_WORD),
    Refusal("score_mode", _NO_WORD),
    Refusal("data_format", _NO_WORD),
    Refusal("dtype", _NO_WORD),
)
