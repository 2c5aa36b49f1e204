"""The compiled loss of a user's model for one batch, and how ``fit`` reports those of an epoch."""

from __future__ import annotations

import inspect
from typing import Any

from initcheck.errors import InitcheckError


def loss_of(model: Any, x: Any, y: Any, outputs: Any, weights: Any, *, training: bool) -> Any:
    """What ``compute_loss`` of the model returns, which may be its user's own and take fewer arguments.

    Raises:
        InitcheckError: The model has no loss.
    """
    named = {"x": x, "y": y, "y_pred": outputs, "sample_weight": weights, "training": training}
    takes = inspect.signature(model.compute_loss).parameters
    if not any(one.kind is one.VAR_KEYWORD for one in takes.values()):
        named = {name: value for name, value in named.items() if name in takes}
    loss = model.compute_loss(**named)
    if loss is None:
        raise InitcheckError("the model has no loss; compile it with one")
    return loss


def weighs_batches(keras: Any) -> bool:
    """Whether ``fit`` reports the mean over rows: Keras 3.0 and 3.1 report that of the batches' means, of any sizes."""
    return not keras.__version__.startswith(("3.0.", "3.1."))
