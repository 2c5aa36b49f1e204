"""``jax.vmap`` over reseeds, jitted: draws, all epochs in scans, RMSprop as Keras documents it, the final accuracy."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.work import BATCH, EPOCHS, MODELS, RATE, ROWS, table

RHO, EPSILON = 0.9, 1e-7


def vmap(model: str, n: int) -> Iterator[float]:
    """Trains ``n`` models in one call."""
    rows, hidden = table(), MODELS[model]
    x, y = jnp.asarray(rows.x), jnp.asarray(rows.y[:, 0])
    batches = jnp.asarray(rows.order).reshape(EPOCHS * ROWS // BATCH, BATCH)
    shapes = [(4, hidden), (hidden, 1)] if hidden else [(4, 1)]
    glorot = jax.nn.initializers.glorot_uniform()

    def logits(weights: Any, x: Any) -> Any:
        *inner, (kernel, bias) = weights
        for inner_kernel, inner_bias in inner:
            x = jnp.tanh(x @ inner_kernel + inner_bias)
        return (x @ kernel + bias)[:, 0]

    def loss(weights: Any, x: Any, y: Any) -> Any:
        z = logits(weights, x)
        return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))

    def train(key: Any) -> Any:
        keys = jax.random.split(key, len(shapes))
        weights = [(glorot(key, shape), jnp.zeros(shape[1])) for key, shape in zip(keys, shapes, strict=True)]

        def step(state: Any, batch: Any) -> Any:
            weights, squares = state
            value, gradients = jax.value_and_grad(loss)(weights, x[batch], y[batch])
            squares = jax.tree.map(lambda s, g: RHO * s + (1 - RHO) * g * g, squares, gradients)
            weights = jax.tree.map(lambda w, s, g: w - RATE * g / jnp.sqrt(s + EPSILON), weights, squares, gradients)
            return (weights, squares), value

        (weights, _), losses = jax.lax.scan(step, (weights, jax.tree.map(jnp.zeros_like, weights)), batches)
        return losses.reshape(EPOCHS, -1).mean(1), jnp.mean((logits(weights, x) > 0) == (y > 0.5))

    trained = jax.jit(jax.vmap(train))
    while True:
        start = time.perf_counter()
        losses, accuracy = trained(jax.random.split(jax.random.key(1), n))
        np.asarray(losses), np.asarray(accuracy)
        yield time.perf_counter() - start


CONTENDERS = {"jax.vmap": vmap}
