import functools
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import pytest

from initcheck.engines import stateless
from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.own_models import OwnData, mapped
from initcheck.engines.stateless import StatelessEnsemble
from initcheck.engines.stateless_agreement import judge_members
from initcheck.frameworks.floatx import floatx
from initcheck.frameworks.keras import load_keras

_IN_KERAS_2 = load_keras().__version__.startswith("2.")
pytestmark = pytest.mark.skipif(_IN_KERAS_2, reason="Keras 2 has no stateless steps")
ROWS, HELD_OUT, BATCH, EPOCHS = 44, 20, 16, 2  # 44 is no multiple of 16: the last batch is smaller
STREAM = np.random.RandomState(0)
ORDERS = np.stack([STREAM.permutation(ROWS) for _ in range(EPOCHS)])


def table(x, y, sample_weight=None):
    """Rows, the first of which train and the others are held out."""
    parts = (x, y, sample_weight)
    return tuple(
        OwnData(*(mapped(itemgetter(part), one) for one in parts)) for part in (slice(ROWS), slice(ROWS, None))
    )


def normal(*shape):
    return STREAM.normal(size=(ROWS + HELD_OUT, *shape)).astype("float32")


def whole(most, *shape):
    return STREAM.randint(0, most, size=(ROWS + HELD_OUT, *shape))


FLAT, SEQUENCES, IMAGES, TOKENS = normal(6), normal(5, 3), normal(8, 8, 1), whole(11, 6)
SEQUENCES[::3, 3:] = 0
SIDE, CLASS = (FLAT[:, :1] > 0).astype("float32"), whole(4)
WEIGHTS = STREAM.uniform(0.2, 2, size=ROWS + HELD_OUT)


def sequential(x, *layers, optimizer="adam", loss="binary_crossentropy", metrics=("accuracy",), **settings):
    """A function that builds and compiles a model; ``layers`` maps ``keras.layers`` to a list of layers."""

    def build(keras):
        model = keras.Sequential([keras.Input(x.shape[1:]), *(layer(keras.layers) for layer in layers)])
        made = optimizer if isinstance(optimizer, str) else optimizer(keras.optimizers)
        model.compile(made, loss, metrics=[*metrics], **settings)
        return model

    return build


def layer(name, *given, **settings):
    return lambda layers: getattr(layers, name)(*given, **settings)


def one_side(layers):
    return layers.Dense(1, activation="sigmoid")


def four_classes(layers):
    return layers.Dense(4, activation="softmax")


def transformer(keras):
    layers = keras.layers
    inputs = keras.Input(SEQUENCES.shape[1:])
    hidden = layers.Dense(8)(inputs)
    attended = layers.MultiHeadAttention(2, 4, dropout=0.1)(hidden, hidden)
    hidden = layers.LayerNormalization()(hidden + attended)
    hidden = layers.LayerNormalization()(hidden + layers.Dropout(0.1)(layers.Dense(8, activation="gelu")(hidden)))
    model = keras.Model(inputs, one_side(layers)(layers.GlobalAveragePooling1D()(hidden)))
    model.compile(keras.optimizers.AdamW(0.01, weight_decay=0.1), "binary_crossentropy", metrics=["accuracy", "AUC"])
    return model


def two_outputs(keras):
    """Inputs and outputs by name, regularizers, a constraint, weights of losses, plain and weighted metrics."""
    layers = keras.layers
    flat, images = keras.Input((6,), name="flat"), keras.Input((8, 8, 1), name="images")
    settings = {"kernel_regularizer": "l2", "activity_regularizer": "l1", "kernel_constraint": "unit_norm"}
    hidden = layers.Dense(5, activation="tanh", **settings)(flat)
    hidden = layers.Concatenate()([hidden, layers.Flatten()(layers.AveragePooling2D(4)(images))])
    outputs = {
        "size": layers.Dense(1, name="size")(hidden),
        "class": layers.Dense(4, activation="softmax", name="class")(hidden),
    }
    model = keras.Model({"flat": flat, "images": images}, outputs)
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss={"size": "mse", "class": "sparse_categorical_crossentropy"},
        loss_weights={"size": 0.3, "class": 2.0},
        metrics={"size": ["mae"], "class": ["accuracy"]},
        weighted_metrics={"size": ["mse"]},
    )
    return model


def own_steps(keras: Any):
    """A model of a class: layers that share a weight, a loss of its own, a metric of its own."""

    class Tied(keras.Model):
        def __init__(self):
            super().__init__()
            self.shared = keras.layers.Dense(6, use_bias=False)
            self.end = keras.layers.Dense(1)
            self.size = keras.metrics.Mean(name="size")

        def call(self, inputs, training=False):
            hidden = keras.ops.tanh(self.shared(self.shared(inputs)))
            self.add_loss(0.1 * keras.ops.mean(keras.ops.square(hidden)))
            return self.end(hidden)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2 * super().compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            self.size.update_state(keras.ops.abs(y_pred))
            return super().compute_metrics(x, y, y_pred, sample_weight)

    model = Tied()
    model(FLAT[:2])
    model.compile("rmsprop", "mse")
    return model


def looped(keras: Any):
    class Loop(keras.layers.Layer):
        def call(self, inputs):
            return keras.ops.while_loop(
                lambda turn, value: turn < 3, lambda turn, value: (turn + 1, value * 1.1), (0, inputs)
            )[1]

    return compiled(keras, keras.layers.Dense(6), Loop())


@dataclass(frozen=True)
class Case:
    """A model, built by ``build(keras)``, and its rows."""

    build: Callable[[Any], Any]
    train: OwnData
    held_out: OwnData | None


def case(build, x, y, sample_weight=None):
    return Case(build, *table(x, y, sample_weight))


def dense(*layers, **settings):
    return case(sequential(FLAT, *layers, one_side, **settings), FLAT, SIDE)


def optimized(name, *given, **settings):
    return dense(layer("Dense", 5, activation="relu"), optimizer=lambda kinds: getattr(kinds, name)(*given, **settings))


NORMALIZED = dense(layer("Dense", 8, activation="relu"), layer("BatchNormalization"), layer("Dropout", 0.5))
KINDS = {
    "noise": dense(layer("GaussianNoise", 0.3), layer("Dense", 5), layer("GaussianDropout", 0.3)),
    "spatial dropout": case(
        sequential(SEQUENCES, layer("SpatialDropout1D", 0.4), layer("Flatten"), one_side), SEQUENCES, SIDE
    ),
    "masked LSTM": case(
        sequential(SEQUENCES, layer("Masking"), layer("LSTM", 4, dropout=0.2, recurrent_dropout=0.2), one_side),
        SEQUENCES,
        SIDE,
    ),
    "GRU in both directions, simple RNN": case(
        sequential(
            SEQUENCES,
            lambda layers: layers.Bidirectional(layers.GRU(3, return_sequences=True)),
            layer("SimpleRNN", 3, unroll=True),
            one_side,
        ),
        SEQUENCES,
        SIDE,
    ),
    "masked embedding": case(
        sequential(TOKENS, layer("Embedding", 11, 5, mask_zero=True), layer("LSTM", 4), one_side), TOKENS, SIDE
    ),
    "embedding by SGD": case(
        sequential(
            TOKENS,
            layer("Embedding", 11, 5),
            layer("Flatten"),
            one_side,
            optimizer=lambda kinds: kinds.SGD(0.1, momentum=0.9),
        ),
        TOKENS,
        SIDE,
    ),
    "output a step": case(
        sequential(SEQUENCES, layer("Dense", 3), layer("Dense", 1), loss="mse", metrics=("mae",)),
        SEQUENCES,
        normal(5, 1),
    ),
    "convolution": case(
        sequential(
            IMAGES,
            layer("Conv2D", 4, 3, padding="same", activation="relu"),
            layer("BatchNormalization"),
            layer("MaxPooling2D"),
            layer("DepthwiseConv2D", 2),
            layer("Conv2D", 3, 2, strides=2),
            layer("Dropout", 0.2),
            layer("Flatten"),
            four_classes,
            loss="sparse_categorical_crossentropy",
        ),
        IMAGES,
        CLASS,
    ),
    "transformer": case(transformer, SEQUENCES, SIDE),
    "two outputs": case(two_outputs, {"flat": FLAT, "images": IMAGES}, {"size": FLAT[:, :1], "class": CLASS}),
    "sample weights": case(
        sequential(FLAT, one_side, loss="mse", metrics=("mae",), weighted_metrics=["mae"]), FLAT, SIDE, WEIGHTS
    ),
    "own steps": case(own_steps, FLAT, FLAT[:, :1]),
    "loop of one's own": case(looped, FLAT, SIDE),
    "frozen layer": dense(layer("Dense", 4, trainable=False), layer("BatchNormalization", trainable=False)),
    "nested model": dense(
        lambda layers: load_keras().Sequential([load_keras().Input((6,)), layers.Dense(4), layers.Dropout(0.3)])
    ),
    "clipnorm": optimized("Adam", 0.05, clipnorm=0.1),
    "global_clipnorm": optimized("Adam", 0.05, global_clipnorm=0.1),
    "average": optimized("Adam", 0.05, use_ema=True),
    "decay without biases": dense(layer("Dense", 5), optimizer=lambda kinds: spared(kinds.AdamW(0.05))),
    "schedule": dense(optimizer=lambda kinds: kinds.RMSprop(kinds.schedules.CosineDecay(0.1, 10))),
} | {
    name: optimized(name, 0.01)
    for name in ("Adagrad", "Nadam", "Ftrl", "Lion", "Lamb", "Adafactor", "Muon")
    if hasattr(load_keras().optimizers, name)  # an older Keras lacks some
}


def spared(optimizer):
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def engine_of(one, **settings):
    keras = load_keras()
    keras.utils.set_random_seed(99)
    settings = {"batch_size": BATCH, "epochs": EPOCHS, "orders": ORDERS, **settings}
    return StatelessEnsemble(keras, one.build(keras), one.train, one.held_out, **settings)


def fitted(one, seed):
    """The initial variables of the model of that seed, its history, and its final variables, by ``fit``."""
    import tensorflow as tf

    keras = load_keras()
    keras.utils.set_random_seed(seed)
    model = one.build(keras)
    initial = [variable.numpy() for variable in model.variables]
    rows = [part for part in (one.train.x, one.train.y, one.train.sample_weight) if part is not None]
    epochs = [tuple(mapped(itemgetter(order), part) for part in rows) for order in ORDERS]
    batches = [tf.data.Dataset.from_tensor_slices(epoch).batch(BATCH) for epoch in epochs]
    held_out = one.held_out
    history = model.fit(
        functools.reduce(lambda first, second: first.concatenate(second), batches),
        epochs=EPOCHS,
        steps_per_epoch=-(-ROWS // BATCH),
        validation_data=held_out
        and tuple(part for part in (held_out.x, held_out.y, held_out.sample_weight) if part is not None),
        validation_batch_size=BATCH,
        shuffle=False,
        verbose=0,
    ).history
    return initial, history, [variable.numpy() for variable in model.variables]


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


def compiled(keras, *layers, **settings):
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(**{"optimizer": "adam", "loss": "binary_crossentropy", **settings})
    return model


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
