"""Faults that change the accuracies over reseeds."""

from __future__ import annotations

from typing import Any

from initcheck.mutants.changes import scaled, step_scaled, step_with, wrap_call
from initcheck.mutants.mutant import mutant


@mutant(
    "rmsprop-forgets", "RMSprop forgets its decay: it divides by the last gradient alone", caught_by=("SPR02", "SPR01")
)
def rmsprop_forgets(keras: Any) -> None:
    """Every step has the length of the learning rate."""
    step_with(keras.optimizers.RMSprop, "rho", lambda rho: 0.0)


@mutant("adam-too-far", "Adam steps half as far again", caught_by=("SPR01",))
def adam_too_far(keras: Any) -> None:
    step_scaled(keras.optimizers.Adam, lambda optimizer: 1.5)


@mutant("uniform-10-percent", "uniform draws are 10 % too narrow", caught_by=("SPR01",))
def uniform_narrow(keras: Any) -> None:
    """Around their mean, which stays."""

    def random_uniform(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        middle = (self.minval + self.maxval) / 2
        return scaled(draw(shape, dtype) - middle, 0.9) + middle

    def scaled_uniform(draw: Any, self: Any, shape: Any, dtype: Any) -> Any:
        return scaled(draw(shape, dtype), 0.9 if self.distribution == "uniform" else 1.0)

    wrap_call(keras.initializers.RandomUniform, random_uniform)
    wrap_call(keras.initializers.VarianceScaling, scaled_uniform)


@mutant("fit-loses-a-batch", "fit takes the first batch of each epoch again in place of its last", caught_by=("SPR03",))
def fit_loses_a_batch(keras: Any) -> None:
    """For datasets with ``steps_per_epoch``."""
    import tensorflow as tf

    original = keras.Model.fit

    def fit(self: Any, x: Any = None, *args: Any, **options: Any) -> Any:
        steps = options.get("steps_per_epoch") or 0

        def change(*epoch: Any) -> Any:
            batches = tf.data.Dataset.zip(epoch)
            return batches.take(steps - 1).concatenate(batches.take(1))

        if steps and isinstance(x, tf.data.Dataset):
            x = x.window(steps).flat_map(change)
        return original(self, x, *args, **options)

    keras.Model.fit = fit
