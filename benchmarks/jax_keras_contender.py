"""``jax.vmap`` over Keras's ``stateless_call`` and ``stateless_apply`` on its JAX backend, jitted, for the work.

It does what ``fit`` does: every epoch's loss and accuracy, and those of the held-out rows, from the same seeds' models.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import time
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from benchmarks.keras_work import BATCH, BINARY, HELD_OUT, KINDS, ROWS, build, members, rows_of


def vmap(name: str, n: int) -> Iterator[float]:
    """Trains ``n`` models in one call, from initial values that are there."""
    rows, binary = rows_of(name), KINDS[name].loss == BINARY
    model = build(keras, name)
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    x, y = jnp.asarray(rows.x), jnp.asarray(rows.y)
    x_held_out, y_held_out = jnp.asarray(rows.x_held_out), jnp.asarray(rows.y_held_out)
    batches = jnp.asarray(rows.orders).reshape(len(rows.orders), ROWS // BATCH, BATCH)
    loss_of = keras.losses.BinaryCrossentropy() if binary else keras.losses.SparseCategoricalCrossentropy()

    def judge(outputs: Any, y: Any) -> Any:
        right = (outputs > 0.5) == (y > 0.5) if binary else outputs.argmax(-1) == y[:, 0]
        return jnp.stack([loss_of(y, outputs), right.mean()])

    def loss(trainable: Any, other: Any, x: Any, y: Any) -> Any:
        outputs, other = model.stateless_call(trainable, other, x, training=True)
        judged = judge(outputs, y)
        return judged[0], (judged, other)

    def step(state: Any, places: Any) -> Any:
        trainable, other, slots = state
        (_, (judged, other)), gradients = jax.value_and_grad(loss, has_aux=True)(trainable, other, x[places], y[places])
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return (trainable, other, slots), judged

    def epoch(state: Any, batches: Any) -> Any:
        state, judged = jax.lax.scan(step, state, batches)
        outputs = [
            model.stateless_call(state[0], state[1], x_held_out[start : start + BATCH], training=False)[0]
            for start in range(0, HELD_OUT, BATCH)
        ]
        return state, (judged.mean(0), judge(jnp.concatenate(outputs), y_held_out))

    slots = [variable.value for variable in optimizer.variables]
    trained = jax.jit(jax.vmap(lambda trainable, other: jax.lax.scan(epoch, (trainable, other, slots), batches)[1]))
    places = {id(variable): place for place, variable in enumerate(model.variables)}
    stacked = [np.stack(values) for values in zip(*members(keras, name, n), strict=True)]
    trainable, other = (
        [stacked[places[id(variable)]] for variable in part]
        for part in (model.trainable_variables, model.non_trainable_variables)
    )
    while True:
        start = time.perf_counter()
        jax.block_until_ready(trained(trainable, other))
        yield time.perf_counter() - start


CONTENDERS = {"jax.vmap of Keras": vmap}
