"""``jax.vmap`` over reseeds, jitted: draws, all epochs in scans, RMSprop as Keras documents it.

In two forms: with the mean loss of each epoch and the final accuracy, as one writes it for a seed study; and with all
that the ensemble engine reports: each epoch's loss and accuracy on training and held-out rows, and the final accuracy.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.work import BATCH, EPOCHS, HELD_OUT, MODELS, RATE, ROWS, table

RHO, EPSILON = 0.9, 1e-7


def train_many(model: str, n: int, *, reports_all: bool) -> Iterator[float]:
    """Trains ``n`` models in one call."""
    rows, hidden = table(), MODELS[model]
    x, y = jnp.asarray(rows.x), jnp.asarray(rows.y[:, 0])
    held_out = x[:HELD_OUT], y[:HELD_OUT]
    batches = jnp.asarray(rows.order).reshape(EPOCHS, ROWS // BATCH, BATCH)
    shapes = [(4, hidden), (hidden, 1)] if hidden else [(4, 1)]
    glorot = jax.nn.initializers.glorot_uniform()

    def logits(weights: Any, x: Any) -> Any:
        *inner, (kernel, bias) = weights
        for inner_kernel, inner_bias in inner:
            x = jnp.tanh(x @ inner_kernel + inner_bias)
        return (x @ kernel + bias)[:, 0]

    def judge(weights: Any, x: Any, y: Any) -> tuple[Any, Any]:
        z = logits(weights, x)
        loss = jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))
        return loss, jnp.mean((z > 0) == (y > 0.5)) if reports_all else loss

    def train(key: Any) -> Any:
        keys = jax.random.split(key, len(shapes))
        weights = [(glorot(key, shape), jnp.zeros(shape[1])) for key, shape in zip(keys, shapes, strict=True)]

        def step(state: Any, batch: Any) -> Any:
            weights, squares = state
            judged, gradients = jax.value_and_grad(judge, has_aux=True)(weights, x[batch], y[batch])
            squares = jax.tree.map(lambda s, g: RHO * s + (1 - RHO) * g * g, squares, gradients)
            weights = jax.tree.map(lambda w, s, g: w - RATE * g / jnp.sqrt(s + EPSILON), weights, squares, gradients)
            return (weights, squares), judged

        def epoch(state: Any, batches: Any) -> Any:
            state, judged = jax.lax.scan(step, state, batches)
            means = [one.mean() for one in judged]
            return state, (means, judge(state[0], *held_out)) if reports_all else means[0]

        (weights, _), history = jax.lax.scan(epoch, (weights, jax.tree.map(jnp.zeros_like, weights)), batches)
        return history, jnp.mean((logits(weights, x) > 0) == (y > 0.5))

    trained = jax.jit(jax.vmap(train))
    while True:
        start = time.perf_counter()
        jax.tree.map(np.asarray, trained(jax.random.split(jax.random.key(1), n)))
        yield time.perf_counter() - start


CONTENDERS = {
    "jax.vmap": functools.partial(train_many, reports_all=False),
    "jax.vmap, same work": functools.partial(train_many, reports_all=True),
}
