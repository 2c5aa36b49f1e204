"""The gradient of a batch's mean loss."""

from __future__ import annotations

from typing import Any

from initcheck.evidence.trace import Array, Arrays
from initcheck.frameworks.backend_calls import as_tensor, mean
from initcheck.frameworks.differentiation import gradients


def loss_gradient(keras: Any, model: Any, x: Array, y: Array, loss: str) -> Arrays:
    """Of the mean loss of those rows, by trained weight; in inference mode, so that it costs no randomness."""
    targets = as_tensor(y)

    def mean_loss(rows: Any) -> tuple[Any, Any]:
        return mean(keras.losses.get(loss)(targets, model(rows, training=False))), None

    return tuple(one for one in gradients(model, [as_tensor(x)], mean_loss).by_weights if one is not None)
