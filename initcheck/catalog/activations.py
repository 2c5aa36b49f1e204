"""The catalogue of activations: one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class ActivationKind:
    """One row.

    Attributes:
        name: In ``keras.activations``.
        elementwise: Whether it maps each element by itself; otherwise it works along the last axis.
        resting: Whether it is 0 at 0, so that a net of zeros never learns; or the reason why no such net uses it.
        live: Whether small trainings use it; or the reason why not.
    """

    name: str
    elementwise: bool
    resting: bool | str
    live: bool | str = True


_DEAD = "all units of a narrow layer may be in its dead zone, so that the kernel does not move"
_OTHERS = "represented by others of its shape"
_ROWS = (
    ActivationKind("relu", True, True, _DEAD),
    ActivationKind("tanh", True, True),
    ActivationKind("sigmoid", True, False),
    ActivationKind("elu", True, True),
    ActivationKind("selu", True, True),
    ActivationKind("softplus", True, False),
    ActivationKind("softsign", True, True, _OTHERS),
    ActivationKind("silu", True, "the nets use it as swish", _OTHERS),
    ActivationKind("swish", True, True, _OTHERS),
    ActivationKind("gelu", True, True),
    ActivationKind("exponential", True, False, "it overflows"),
    ActivationKind("hard_sigmoid", True, False, _DEAD),
    ActivationKind("linear", True, True, _OTHERS),
    *(
        ActivationKind(name, True, "some versions of Keras do not have it, or not under that name", _OTHERS)
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
