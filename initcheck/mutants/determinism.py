"""Faults of determinism: seeds that are lost, shared, or not all that decides."""

from __future__ import annotations

import functools
import os
import random
import threading
import time
from typing import Any

import numpy as np

from initcheck.frameworks.operations import operations
from initcheck.mutants.mutant import mutant
from initcheck.targets import KERAS


def _original_seed(keras: Any) -> Any:
    return keras.utils.set_random_seed


@mutant("seed-forgets-python", "set_random_seed leaves Python's generator as it was", caught_by=("DET09",), on=KERAS)
def forget_python(keras: Any) -> None:
    original = _original_seed(keras)

    def set_random_seed(seed: int) -> None:
        state = random.getstate()
        original(seed)
        random.setstate(state)

    keras.utils.set_random_seed = set_random_seed


@mutant("seed-forgets-numpy", "set_random_seed leaves NumPy's generator as it was", caught_by=("DET09",), on=KERAS)
def forget_numpy(keras: Any) -> None:
    original = _original_seed(keras)

    def set_random_seed(seed: int) -> None:
        state = np.random.get_state()
        original(seed)
        np.random.set_state(state)

    keras.utils.set_random_seed = set_random_seed


@mutant(
    "seed-mixes-process",
    "set_random_seed adds the process number to TensorFlow's seed",
    caught_by=("DET08", "DET11"),
)
def mix_process(keras: Any) -> None:
    """Repeats within a process, and in no other."""
    original = _original_seed(keras)

    def set_random_seed(seed: int) -> None:
        import tensorflow as tf

        original(seed)
        tf.random.set_seed(seed + os.getpid())

    keras.utils.set_random_seed = set_random_seed


@mutant("seed-keeps-history", "set_random_seed mixes in the seed that was set before", caught_by=("DET06",), on=KERAS)
def keep_history(keras: Any) -> None:
    original = _original_seed(keras)
    before = [0]

    def set_random_seed(seed: int) -> None:
        original((seed + before[0] % 2) % 2**31)
        before[0] = seed

    keras.utils.set_random_seed = set_random_seed


@mutant(
    "draw-last-bit",
    "he_normal draws differ in the last bit of one element at every third call",
    caught_by=("DET01", "DET02"),
)
def change_last_bit(keras: Any) -> None:
    calls = [0]

    def touch(values: Any) -> Any:
        import tensorflow as tf

        calls[0] += 1
        if not tf.executing_eagerly() or calls[0] % 3 != 1 or values.dtype != tf.float32 or 0 in values.shape:
            return values
        changed = values.numpy()
        changed.ravel()[0] = np.nextafter(changed.ravel()[0], np.float32(1))
        return tf.constant(changed)

    _wrap_call(keras.initializers.HeNormal, touch)


@mutant("draw-hashes-names", "glorot_uniform mixes the hash of a string into its seed", caught_by=("DET05",), on=KERAS)
def hash_names(keras: Any) -> None:
    """Python's string hashes differ between processes."""
    original = keras.initializers.GlorotUniform.__init__
    salt = hash("glorot_uniform") % 1000

    def init(self: Any, seed: Any = None, **rest: Any) -> None:
        original(self, seed=seed if seed is None else (seed + salt) % 2**31, **rest)
        self.seed = seed if seed is None else self.seed
        self._salted = True

    def get_config(self: Any) -> dict[str, Any]:
        config: dict[str, Any] = get_original(self)
        if config.get("seed") is not None:
            config["seed"] = (config["seed"] - salt) % 2**31
        return config

    get_original = keras.initializers.GlorotUniform.get_config
    keras.initializers.GlorotUniform.__init__ = init
    keras.initializers.GlorotUniform.get_config = get_config


@mutant("dropout-frozen", "Dropout drops the same units in every step", caught_by=("DET19",), on=KERAS)
def freeze_dropout(keras: Any) -> None:
    masks: dict[Any, Any] = {}
    ops = operations(keras)

    def call(self: Any, inputs: Any, training: Any = False) -> Any:
        if not training:
            return inputs
        key = (id(self), tuple(inputs.shape))
        if key not in masks:
            stream = np.random.RandomState(random.randrange(2**31))
            masks[key] = (stream.random_sample([size or 1 for size in inputs.shape]) > self.rate) / (1 - self.rate)
        return inputs * ops.cast(masks[key], inputs.dtype)

    keras.layers.Dropout.call = call


@mutant("dropout-clock", "an unseeded Dropout takes its seed from the clock", caught_by=("DET06", "DET10"), on=KERAS)
def clock_dropout(keras: Any) -> None:
    original = keras.layers.Dropout.__init__

    def init(self: Any, rate: float, noise_shape: Any = None, seed: Any = None, **rest: Any) -> None:
        seed = time.time_ns() % 2**31 if seed is None else seed
        original(self, rate, noise_shape=noise_shape, seed=seed, **rest)

    keras.layers.Dropout.__init__ = init


@mutant(
    "fit-adds-noise",
    "fit adds 1e-7 of noise from the clock to the first weight it ends with",
    caught_by=("DET10", "DET14"),
    on=KERAS,
)
def noise_after_fit(keras: Any) -> None:
    original = keras.Model.fit

    def fit(self: Any, *arguments: Any, **rest: Any) -> Any:
        history = original(self, *arguments, **rest)
        if values := self.get_weights():
            values[0] = values[0] + np.float32(1e-7) * np.random.RandomState(time.time_ns() % 2**31).normal(
                size=values[0].shape
            ).astype(values[0].dtype)
            self.set_weights(values)
        return history

    keras.Model.fit = fit


@mutant(
    "functional-order",
    "a functional model starts with its last kernel a unit in the last place larger",
    caught_by=("DET12",),
    on=KERAS,
)
def functional_differs(keras: Any) -> None:
    """Only models made of inputs and outputs differ."""
    original = keras.Model.compile

    def compile_model(self: Any, *arguments: Any, **rest: Any) -> Any:
        if type(self).__name__ == "Functional":
            values = self.get_weights()
            values[0] = np.nextafter(values[0], np.float32(1))
            self.set_weights(values)
        return original(self, *arguments, **rest)

    keras.Model.compile = compile_model


@mutant("seed-cuts-bits", "set_random_seed gives TensorFlow the lowest 16 bits of the seed", caught_by=("DET17",))
def cut_bits(keras: Any) -> None:
    """Every seed repeats."""
    original = _original_seed(keras)

    def set_random_seed(seed: int) -> None:
        import tensorflow as tf

        original(seed)
        tf.random.set_seed(seed % 2**16)

    keras.utils.set_random_seed = set_random_seed


@mutant("seed-zero-clock", "set_random_seed(0) seeds TensorFlow from the clock", caught_by=("DET17",))
def clock_at_zero(keras: Any) -> None:
    """Every other seed is right."""
    original = _original_seed(keras)

    def set_random_seed(seed: int) -> None:
        import tensorflow as tf

        original(seed)
        if not seed:
            tf.random.set_seed(time.time_ns() % 2**31)

    keras.utils.set_random_seed = set_random_seed


@mutant("draw-minds-tracing", "he_normal draws the negative where it is traced", caught_by=("DET03",))
def mind_tracing(keras: Any) -> None:
    """Its law is the same."""
    import tensorflow as tf

    _wrap_call(keras.initializers.HeNormal, lambda values: values if tf.executing_eagerly() else -values)


@mutant(
    "draw-minds-global-seed",
    "he_normal shifts its elements by what NumPy's generator holds",
    caught_by=("DET04",),
    on=KERAS,
)
def mind_global_seed(keras: Any) -> None:
    """Its law is the same, and it takes nothing from the generator."""
    ops = operations(keras)

    def shift(values: Any) -> Any:
        places = int(np.random.get_state(legacy=False)["state"]["key"][0] % 2**16)
        flat = ops.reshape(values, (-1,))
        places %= max(1, int(flat.shape[0]))
        return ops.reshape(ops.concatenate([flat[-places:], flat[:-places]], 0) if places else flat, values.shape)

    _wrap_call(keras.initializers.HeNormal, shift)


@mutant(
    "dropout-minds-global-seed", "Dropout adds what the global seed decides to its own", caught_by=("DET15",), on=KERAS
)
def mind_global_seed_in_dropout(keras: Any) -> None:
    """As all layers that draw do before Keras 3."""
    original = keras.layers.Dropout.__init__

    def init(self: Any, rate: float, noise_shape: Any = None, seed: Any = None, **rest: Any) -> None:
        seed = seed if seed is None else (seed + random.randrange(2**20)) % 2**31
        original(self, rate, noise_shape=noise_shape, seed=seed, **rest)

    keras.layers.Dropout.__init__ = init


@mutant("seed-ignored", "set_random_seed sets the seed 1 whatever it is given", caught_by=("DET07", "DET13"), on=KERAS)
def ignore_seed(keras: Any) -> None:
    original = _original_seed(keras)
    keras.utils.set_random_seed = lambda seed: original(1)


@mutant("draw-minds-thread", "he_normal draws the negative outside the main thread", caught_by=("DET16",), on=KERAS)
def mind_thread(keras: Any) -> None:
    """Its law is the same."""

    def turn(values: Any) -> Any:
        return values if threading.current_thread() is threading.main_thread() else -values

    _wrap_call(keras.initializers.HeNormal, turn)


@mutant("draw-tires", "an instance of he_normal draws the negative at every 32nd call", caught_by=("DET01",), on=KERAS)
def tire(keras: Any) -> None:
    """Few programs call one so often."""
    original = keras.initializers.HeNormal.__call__
    calls: dict[int, int] = {}

    def call(self: Any, *arguments: Any, **rest: Any) -> Any:
        calls[id(self)] = calls.get(id(self), 0) + 1
        values = original(self, *arguments, **rest)
        return values if calls[id(self)] % 32 else -values

    keras.initializers.HeNormal.__call__ = call


@mutant(
    "noise-constant",
    "GaussianNoise adds the same noise at every step of a traced training",
    caught_by=("DET19",),
)
def freeze_noise(keras: Any) -> None:
    """Another model has another noise."""
    ops = operations(keras)

    def call(self: Any, inputs: Any, training: Any = False) -> Any:
        if not training:
            return inputs
        sizes = [size or 1 for size in inputs.shape]
        noise = np.random.RandomState(random.randrange(2**31)).normal(size=sizes)
        return inputs + ops.cast(self.stddev * noise, inputs.dtype)

    keras.layers.GaussianNoise.call = call


@mutant("integers-stop-early", "keras.random.randint never returns its largest value", caught_by=("DET18",), on=KERAS)
def stop_early(keras: Any) -> None:
    """It repeats; where there is no keras.random, NumPy's share of the global seed is one too large instead."""
    if not hasattr(keras, "random"):
        original_seed = _original_seed(keras)

        def set_random_seed(seed: int) -> None:
            original_seed(seed)
            np.random.seed((seed + 1) % 2**32)

        keras.utils.set_random_seed = set_random_seed
        return
    original = keras.random.randint

    def randint(shape: Any, minval: int, maxval: int, *arguments: Any, **rest: Any) -> Any:
        return original(shape, minval, max(minval + 1, maxval - 1), *arguments, **rest)

    keras.random.randint = randint


@mutant("slow-initializer", "harmless: every draw of glorot_uniform takes a millisecond longer", on=KERAS)
def slow(keras: Any) -> None:

    def wait(values: Any) -> Any:
        time.sleep(0.001)
        return values

    _wrap_call(keras.initializers.GlorotUniform, wait)


@mutant(
    "kernel-minds-clock",
    "an unseeded Conv1D draws its kernel under a seed of the system's",
    caught_by=("DET06",),
    on=KERAS,
)
def clock_convolution(keras: Any) -> None:
    """All other layers repeat."""
    original = keras.layers.Conv1D.__init__

    def init(self: Any, *arguments: Any, **rest: Any) -> None:
        seed = random.SystemRandom().randint(1, 10**9)
        rest.setdefault("kernel_initializer", keras.initializers.GlorotUniform(seed=seed))
        original(self, *arguments, **rest)

    keras.layers.Conv1D.__init__ = init


@mutant("noise-frozen-in-graph", "GaussianDropout draws the same noise at every traced step", caught_by=("DET19",))
def frozen_noise(keras: Any) -> None:
    """Eager calls draw anew."""
    import tensorflow as tf

    original = keras.layers.GaussianDropout.call

    def call(self: Any, inputs: Any, training: Any = False) -> Any:
        if tf.executing_eagerly() or not training:
            return original(self, inputs, training=training)
        stddev = (self.rate / (1 - self.rate)) ** 0.5
        return inputs * tf.random.stateless_normal(tf.shape(inputs), (1, 2), 1.0, stddev, inputs.dtype)

    keras.layers.GaussianDropout.call = call


@mutant("seed-notes-itself", "harmless: set_random_seed remembers the last seed in an attribute", on=KERAS)
def keep_last_seed(keras: Any) -> None:
    original = _original_seed(keras)

    def set_random_seed(seed: int) -> None:
        original(seed)
        keras.initcheck_last_seed = seed

    keras.utils.set_random_seed = set_random_seed


def _wrap_call(keras_class: Any, change: Any) -> None:
    original = keras_class.__call__

    def call(self: Any, *arguments: Any, **rest: Any) -> Any:
        return change(original(self, *arguments, **rest))

    keras_class.__call__ = call


@mutant("flip-shared", "RandomFlip flips all images of a batch or none", caught_by=("DET20",), on=KERAS)
def share_flips(keras: Any) -> None:
    """Only where the layer draws by itself: Keras 2 calls TensorFlow's own flips."""
    original = getattr(keras.layers.RandomFlip, "get_random_transformation", None)
    if original is None:
        return

    def transformation(self: Any, *args: Any, **options: Any) -> Any:
        drawn = original(self, *args, **options)
        if drawn:
            ones = keras.ops.ones_like(drawn["flips"])
            drawn["flips"] = keras.ops.logical_and(drawn["flips"][:1], ones)
        return drawn

    keras.layers.RandomFlip.get_random_transformation = transformation


@mutant("image-seed-forgotten", "RandomBrightness draws by another seed than its own", caught_by=("DET20",))
def forget_image_seed(keras: Any) -> None:
    original = keras.layers.RandomBrightness.__init__

    @functools.wraps(original)  # it takes the same arguments
    def init(self: Any, *args: Any, seed: Any = None, **options: Any) -> None:
        original(self, *args, seed=random.randrange(2**31), **options)
        self.seed = seed

    keras.layers.RandomBrightness.__init__ = init


@mutant("training-leaks", "layers after a Rescaling run as in training", caught_by=("DET21",), on=KERAS)
def leak_training(keras: Any) -> None:
    """As after layers whose call takes ``training=True`` by default, up to Keras 3.15.1."""
    original = keras.layers.Rescaling.call

    def call(self: Any, inputs: Any) -> Any:
        if hasattr(self, "_get_call_context"):
            self._get_call_context().training = True
        return original(self, inputs)

    keras.layers.Rescaling.call = call
