from typing import Any

import numpy as np
import pytest
from ensemble_cases import (
    BATCH,
    EPOCHS,
    FLAT,
    KINDS,
    NORMALIZED,
    ORDERS,
    ROWS,
    SIDE,
    Case,
    compiled,
    dense,
    fitted,
    layer,
    one_side,
    optimized,
    sequential,
    table,
)

from initcheck.engines import stateless
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.own_models import OwnData
from initcheck.engines.stateless import StatelessEnsemble
from initcheck.engines.stateless_agreement import judge_members
from initcheck.frameworks.floatx import floatx
from initcheck.frameworks.keras import load_keras

_IN_KERAS_2 = load_keras().__version__.startswith("2.")
pytestmark = pytest.mark.skipif(_IN_KERAS_2, reason="Keras 2 has no stateless steps")


def engine_of(one, **settings):
    keras = load_keras()
    keras.utils.set_random_seed(99)
    settings = {"batch_size": BATCH, "epochs": EPOCHS, "orders": ORDERS, **settings}
    return StatelessEnsemble(keras, one.build(keras), one.train, one.held_out, **settings)


def verdict_of(one, engine, seeds=(1, 2, 3)):
    trained = [fitted(one, seed) for seed in seeds]
    return judge_members(engine, [initial for initial, _, _ in trained], [history for _, history, _ in trained])


def test_batch_normalization_and_dropout_agree_with_fit():
    verdict = verdict_of(NORMALIZED, engine_of(NORMALIZED))
    assert verdict.agrees, verdict
    assert verdict.tolerances["val_loss"] < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_agrees_with_fit(name):
    verdict = verdict_of(KINDS[name], engine_of(KINDS[name]))
    assert verdict.agrees, verdict


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        dense(layer("Dense", 8, activation="relu"), layer("BatchNormalization"), layer("Dropout", 0.51)),
        dense(layer("Dense", 8, activation="relu"), layer("BatchNormalization", momentum=0.98), layer("Dropout", 0.5)),
        dense(layer("Dense", 8, activation="relu"), layer("BatchNormalization", epsilon=0.0011), layer("Dropout", 0.5)),
        dense(
            layer("Dense", 8, activation="relu"),
            layer("BatchNormalization"),
            layer("Dropout", 0.5),
            optimizer=lambda kinds: kinds.Adam(0.00101),
        ),
    ],
    ids=["rate", "momentum", "epsilon", "learning rate"],
)
def test_a_training_that_is_only_just_wrong_does_not_agree(wrong):
    assert not verdict_of(NORMALIZED, engine_of(wrong), seeds=(1,)).agrees


@pytest.mark.slow
@pytest.mark.parametrize("one", [NORMALIZED, KINDS["sample weights"]], ids=["normalized", "weighted"])
def test_steps_that_xla_compiles_agree_with_fit(one, monkeypatch):
    monkeypatch.setattr(stateless, "_WORTH_COMPILING", 0)
    engine = engine_of(one)
    assert engine.words == "stateless ensemble engine, 256 members at once compiled by XLA"
    verdict = verdict_of(one, engine)
    assert verdict.agrees, verdict


def noted(layers: Any, **settings):
    """A layer that keeps what another, within it, has made of its inputs, as a weight."""

    class Noted(layers.Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def build(self, shape):
            self.seen = self.add_weight(shape=(BATCH, *shape[1:]), trainable=False, initializer="zeros", name="seen")

        def call(self, inputs, training=False):
            made = self.inner(inputs, training=training)
            if training:
                self.seen.assign(made)
            return made

    return Noted(**settings)


def noise_places(model):
    """The places of the kept noise and of its generator's state among the variables."""
    return [place for place, one in enumerate(model.variables) if "seen" in one.path or "seed" in one.path]


@pytest.mark.parametrize(
    ("name", "compiled"),
    [
        ("Dropout", False),
        ("GaussianNoise", False),
        *(
            pytest.param(name, compiled, marks=pytest.mark.slow)
            for name, compiled in (("GaussianDropout", False), ("AlphaDropout", False), ("Dropout", True))
        ),
    ],
)
def test_noise_is_that_of_fit_bit_for_bit(name, compiled, monkeypatch):
    """Of the last of four steps, on constant inputs: so each step before has moved the generator as in ``fit``."""
    ones = np.ones((2 * BATCH, 6), "float32")
    build = sequential(ones, lambda layers: noted(layers, inner=getattr(layers, name)(0.4)), one_side)
    one = Case(build, OwnData(ones, np.zeros((2 * BATCH, 1), "float32")), None)
    keras, members, kept = load_keras(), [], []
    for seed in (1, 2, 3):
        keras.utils.set_random_seed(seed)
        model = build(keras)
        members.append([variable.numpy() for variable in model.variables])
        model.fit(one.train.x, one.train.y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0)
        kept.append(
            [variable.numpy() for variable in model.variables if "seen" in variable.path or "seed" in variable.path]
        )
    if compiled:
        monkeypatch.setattr(stateless, "_WORTH_COMPILING", 0)
    engine = engine_of(one, orders=np.stack([np.arange(2 * BATCH)] * 2))
    assert engine.words.endswith("compiled by XLA") == compiled
    trained = engine.train(members)
    places = noise_places(model)
    assert len(places) == 2
    for member, own in enumerate(kept):
        for place, value in zip(places, own, strict=True):
            assert np.array_equal(trained.variables[place][member], value)
    assert len({value.tobytes() for value in trained.variables[places[0]]}) == 3


@pytest.mark.slow
def test_members_do_not_depend_on_the_others():
    trained = [fitted(NORMALIZED, seed)[0] for seed in range(1, 6)]
    together = engine_of(NORMALIZED, width=2).train(trained)
    alone = engine_of(NORMALIZED).train(trained[3:4])
    assert together.history["loss"].shape == (5, EPOCHS)
    assert [value.shape for value in together.variables] == [(5, *one.shape) for one in trained[0]]
    for name, values in alone.history.items():
        assert np.allclose(values[0], together.history[name][3], rtol=1e-6)


def with_call(call):
    """A model with a layer whose call is that function of its inputs."""

    def build(keras: Any):
        class Own(keras.layers.Layer):
            def call(self, inputs):
                return call(keras, inputs)

        return compiled(keras, Own())

    return build


def own_fit(keras: Any):
    class Own(keras.Sequential):
        def fit(self, *given, **settings):
            return super().fit(*given, **settings)

    model = Own([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def drawn_globally(_, inputs):
    import tensorflow as tf

    return inputs + tf.random.normal(tf.shape(inputs))


def computed_in_python(_, inputs):
    import tensorflow as tf

    return tf.ensure_shape(tf.numpy_function(lambda value: value, [inputs], tf.float32), inputs.shape)


def in_half(keras):
    return compiled(keras, keras.layers.Dense(3, dtype="bfloat16"))


def stateful(keras):
    model = keras.Sequential(
        [keras.Input((5, 3), batch_size=4), keras.layers.LSTM(2, stateful=True), one_side(keras.layers)]
    )
    model.compile("adam", "binary_crossentropy")
    return model


def by(**settings):
    return lambda keras: compiled(keras, optimizer=keras.optimizers.Adam(**settings))


UNSUITABLE = {
    "not built": (lambda keras: keras.Sequential([keras.layers.Dense(1)]), "has no weights until it is called"),
    "not compiled": (lambda keras: keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)]), "is not compiled"),
    "frozen": (
        lambda keras: frozen(keras),
        "no weight that training changes",
    ),
    "stateful": (stateful, "its layer 'lstm.*', a LSTM, keeps its state|keeps its state from batch to batch"),
    "half": (in_half, "a Dense, computes in bfloat16"),
    "fit of its own": (own_fit, "its model has fit of its own"),
    "eager": (lambda keras: compiled(keras, run_eagerly=True), "run_eagerly"),
    "XLA": (lambda keras: compiled(keras, jit_compile=True), "jit_compile"),
    "steps_per_execution": (lambda keras: compiled(keras, steps_per_execution=2), "steps_per_execution"),
    "accumulation": (by(gradient_accumulation_steps=2), "sets gradient_accumulation_steps"),
    "overwritten average": (by(use_ema=True, ema_overwrite_frequency=2), "sets ema_overwrite_frequency"),
    "loss scale": (
        lambda keras: compiled(keras, optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())),
        "a LossScaleOptimizer, steps by others within it",
    ),
    "global generator": (with_call(drawn_globally), "draws from TensorFlow's global generator"),
    "Python": (with_call(computed_in_python), "calls Python at every step"),
    "Keras's generator": (
        with_call(lambda keras, inputs: inputs + keras.random.normal((6,))),
        "changes the variable '.*', which is none of the model's",
    ),
    "a branch": (
        lambda keras: compiled(keras, keras.layers.SpectralNormalization(keras.layers.Dense(3))),
        "its training step cannot be (stacked|traced)",
    ),
    "a metric of several numbers": (
        lambda keras: compiled(keras, metrics=[keras.metrics.F1Score()]), "its metric 'f1_score' is no single number"
    ),
}  # fmt: skip


def frozen(keras):
    model = compiled(keras)
    model.trainable = False
    return model


@pytest.mark.parametrize("name", UNSUITABLE)
def test_what_it_cannot_hold_to_fit_is_refused_by_name_before_it_trains(name):
    build, reason = UNSUITABLE[name]
    with pytest.raises(UnsuitableError, match=reason):
        engine_of(Case(build, *table(FLAT, SIDE)))


def shifted(keras: Any):
    class Shifted(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.shift = float(np.random.normal())

        def call(self, inputs):
            return inputs + self.shift

    return compiled(keras, Shifted())


def test_numbers_that_a_build_keeps_in_no_variable_are_refused():
    keras = load_keras()
    engine_of(NORMALIZED, other=NORMALIZED.build(keras))
    keras.utils.set_random_seed(1)
    with pytest.raises(UnsuitableError, match="differ in numbers that are in no variable"):
        engine_of(Case(shifted, *table(FLAT, SIDE)), other=shifted(keras))


def test_an_optimizer_that_reads_while_it_writes_is_refused():
    kinds = load_keras().optimizers
    if not hasattr(kinds, "ScheduleFreeAdamW"):
        pytest.skip("Keras has no such optimizer before 3.14")
    with pytest.raises(UnsuitableError, match="a ScheduleFreeAdamW, reads variables while it writes to them"):
        engine_of(optimized("ScheduleFreeAdamW", 0.01))


def test_data_that_make_batches_or_hold_texts_are_refused():
    import tensorflow as tf

    batches = OwnData(tf.data.Dataset.from_tensor_slices((FLAT, SIDE)).batch(BATCH))
    texts = OwnData(np.array([["a"]] * ROWS), SIDE[:ROWS])
    for data, reason in ((batches, "makes batches itself"), (texts, "hold texts"), (OwnData(FLAT), "no targets")):
        with pytest.raises(UnsuitableError, match=reason):
            engine_of(Case(NORMALIZED.build, data, None))


def test_other_float_types_are_refused():
    with floatx(load_keras(), "float64"), pytest.raises(UnsuitableError, match=r"computes in float64 \(floatx\)"):
        engine_of(NORMALIZED)


def test_a_step_that_cannot_be_stacked_is_refused_before_it_is_taken(monkeypatch):
    import tensorflow as tf

    def refuse(*_, **__):
        raise ValueError("No pfor vectorization")

    engine = engine_of(NORMALIZED)
    monkeypatch.setattr(tf, "vectorized_map", refuse)
    with pytest.raises(UnsuitableError, match="cannot be stacked: ValueError: No pfor vectorization"):
        engine.train([fitted(NORMALIZED, 1)[0]])


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda layers: layers.Dropout(0.5), "too short a training to be compiled"),
        (lambda layers: layers.GaussianNoise(0.5), "XLA is slower on its operations, or draws other noise"),
    ],
)
def test_its_words_say_how_it_runs_and_why(build, reason):
    one = dense(build)
    assert engine_of(one).words == (f"stateless ensemble engine, 256 members at once in TensorFlow's graph ({reason})")
