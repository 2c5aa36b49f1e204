import numpy as np
import pytest

from initcheck.engines import stateless_noise


@pytest.mark.parametrize("shape", [(), (1,), (3,), (7, 5, 3)], ids=str)
def test_uniform_draws_of_many_seeds_are_those_of_each(shape):
    import tensorflow as tf

    stateless_noise.register()
    seeds = tf.constant(np.random.RandomState(0).randint(0, 2**31 - 2, size=(6, 2)), tf.int32)
    drawn = tf.function(
        lambda seeds: tf.vectorized_map(lambda seed: tf.random.stateless_uniform(shape, seed), seeds), autograph=False
    )(seeds)
    assert np.array_equal(drawn, np.stack([tf.random.stateless_uniform(shape, seed) for seed in seeds]))


def test_other_types_are_drawn_by_the_kernel():
    import tensorflow as tf

    stateless_noise.register()
    seeds = tf.constant([[1, 2], [3, 4]], tf.int32)

    def draw(seed):
        return tf.random.stateless_uniform((5,), seed, dtype=tf.float64)

    drawn = tf.function(lambda seeds: tf.vectorized_map(draw, seeds), autograph=False)(seeds)
    assert np.array_equal(drawn, np.stack([draw(seed) for seed in seeds]))


def test_a_tensorflow_without_such_a_registry_is_left_as_it_is(monkeypatch):
    from tensorflow.python.ops.parallel_for import pfor

    monkeypatch.delattr(pfor, "RegisterPFor")
    stateless_noise.register.__wrapped__()
