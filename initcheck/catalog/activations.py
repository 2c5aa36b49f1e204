"""The catalogue of activations: one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class ActivationKind:
    """One row.

    Attributes:
        name: As ``keras.activations`` knows it.
        elementwise: Whether it maps each element by itself, whatever the axes around it mean; else it works along the
            last axis.
        resting: Whether it is 0 at 0, so that a net of zeros never learns; or why no such net is made of it.
        live: Whether small trainings are made of it; or why not.
    """

    name: str
    elementwise: bool
    resting: bool | str
    live: bool | str = True


_DEAD = "its dead zone may hold a whole narrow layer, whose kernel then does not move"
_OTHERS = "others of its shape stand for it"
_ROWS = (
    ActivationKind("relu", True, True, _DEAD),
    ActivationKind("tanh", True, True),
    ActivationKind("sigmoid", True, False),
    ActivationKind("elu", True, True),
    ActivationKind("selu", True, True),
    ActivationKind("softplus", True, False),
    ActivationKind("softsign", True, True, _OTHERS),
    ActivationKind("silu", True, "the nets know it as swish", _OTHERS),
    ActivationKind("swish", True, True, _OTHERS),
    ActivationKind("gelu", True, True),
    ActivationKind("exponential", True, False, "it overflows"),
    ActivationKind("hard_sigmoid", True, False, _DEAD),
    ActivationKind("linear", True, True, _OTHERS),
    *(
        ActivationKind(name, True, "not every version of Keras has it, or knows it by that name", _OTHERS)
        for name in (
            "relu6", "leaky_relu", "celu", "mish", "squareplus", "log_sigmoid", "hard_silu", "hard_tanh",
            "tanh_shrink", "soft_shrink", "hard_shrink", "threshold",
        )
    ),
    *(
        ActivationKind(name, False, "it couples units", "it ends a classifier")
        for name in ("softmax", "log_softmax")
    ),
)  # fmt: skip

ACTIVATIONS: Mapping[str, ActivationKind] = MappingProxyType({row.name: row for row in _ROWS})
