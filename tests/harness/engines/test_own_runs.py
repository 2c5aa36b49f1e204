"""A user's own model as it is: its initializers, its data, its score, and its runs beside what ``fit`` does by hand."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import initcheck
from examples.models import two_inputs as example
from initcheck.catalog.own_problems import OWN, OwnProblem
from initcheck.engines.constant_answers import best_constant
from initcheck.engines.feeding import batch_order
from initcheck.engines.own_data import count_rows, is_countable, targets_of
from initcheck.engines.own_models import OwnData
from initcheck.engines.own_runs import OwnEngine
from initcheck.engines.own_scores import choose_score, default_target
from initcheck.engines.reuse import bitwise_equal
from initcheck.evidence.baseline.own_stages import record_stages
from initcheck.frameworks.generators import globally_seeded
from initcheck.frameworks.instances import make_initializer
from initcheck.records import Score
from initcheck.seeding import derive_seed, layer_seed, run_seed

layers = keras.layers
STREAM = np.random.RandomState(5)
X = STREAM.normal(size=(60, 4)).astype("float32")
Y = (X[:, :1] - X[:, 1:2] ** 2).astype("float32")
CLASSES = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 0)
RESEEDS = [0, 1, 2]


def regression():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(5, "relu"), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def noisy():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(6, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def seeded():
    hidden = [layers.Dense(4, kernel_initializer=keras.initializers.HeNormal(seed=seed)) for seed in (3, 3, 4)]
    model = keras.Sequential([keras.Input((4,)), *hidden, layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def rows():
    return X, Y


def labels():
    return X, CLASSES


def engine_of(build, data=rows, **settings):
    return OwnEngine(initcheck.Problem.of(build, data, **{"epochs": 2, "batch_size": 16, **settings}))


def test_a_run_is_what_fit_gives_by_hand():
    engine = engine_of(regression)
    run = engine.train(OWN, reseed=1, seed=7)
    held_out = np.random.RandomState(42).permutation(60)[:18]
    train = np.setdiff1d(np.arange(60), held_out)
    places = np.random.RandomState(42).permutation(60)[18:]
    assert set(places) == set(train)
    keras.utils.set_random_seed(run_seed(7, engine.facts.name, "own", 1))
    model = regression()
    losses = []
    for order in batch_order(42, 2):
        history = model.fit(
            X[places][order],
            Y[places][order],
            batch_size=16,
            shuffle=False,
            verbose=0,
            validation_data=(X[held_out], Y[held_out]),
            validation_batch_size=16,
        ).history
        losses.append([history[name][0] for name in ("loss", "mae", "val_loss", "val_mae")])
    assert [run.history[name] for name in ("loss", "mae", "val_loss", "val_mae")] == [
        pytest.approx(values, rel=1e-6) for values in zip(*losses, strict=True)
    ]
    assert run.test_score == pytest.approx(losses[-1][2], rel=1e-6)
    ends = model.evaluate(X[places], Y[places], batch_size=16, verbose=0)  # Keras 3.0 reports the mean of batches
    assert run.train_score == pytest.approx(ends[0], rel=1e-5)
    assert (run.train_total, run.test_total, run.score) == (42, 18, Score("loss", higher_is_better=False))


@pytest.mark.slow
@pytest.mark.parametrize(("build", "data"), [(regression, rows), (noisy, labels)])
def test_a_run_depends_on_its_name_alone(build, data):
    in_order = list(engine_of(build, data).runs([OWN], reseeds=RESEEDS, seed=3))
    alone = engine_of(build, data).train(OWN, reseed=2, seed=3)
    assert in_order[2][0].history == alone.history
    assert in_order[2][0].test_score == alone.test_score
    assert len({part[0].loss for part in in_order}) == 3


def test_outputs_and_metrics_without_names_are_named_alike_in_every_run():
    def build():
        inputs = keras.Input((4,))
        x = layers.Dense(4, "relu")(inputs)
        model = keras.Model(inputs, [layers.Dense(1)(x), layers.Dense(3, "softmax")(x)])
        metrics = [[keras.metrics.MeanAbsoluteError()], [keras.metrics.SparseCategoricalAccuracy()]]
        model.compile("sgd", ["mse", "sparse_categorical_crossentropy"], metrics=metrics)
        return model

    engine = engine_of(build, lambda: (X, [Y, CLASSES]), epochs=1)
    one, two = (engine.train(OWN, reseed=reseed, seed=1) for reseed in RESEEDS[:2])
    assert one.history.keys() == two.history.keys()
    assert any("mean_absolute_error" in name for name in one.history)


@pytest.mark.slow
def test_a_model_with_noise_is_used_again_only_with_the_bits_of_a_fresh_one():
    engine = engine_of(noisy, labels)
    used = [engine.train(OWN, reseed=reseed, seed=3) for reseed in range(4)]
    assert engine._kept is not None
    assert engine._kept.proven
    fresh = [engine_of(noisy, labels).train(OWN, reseed=reseed, seed=3) for reseed in range(4)]
    assert [run.history for run in used] == [run.history for run in fresh]


@pytest.mark.slow
def test_a_model_that_keeps_state_outside_its_variables_is_never_used_again():
    class Counting(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = layers.Dense(1)
            self.steps = 0

        def call(self, x):
            return self.out(x)

        def train_step(self, data):
            self.steps += 1
            return super().train_step(data)

        def fit(self, *given, **named):
            self.steps += 1
            self.out.kernel.assign(self.out.kernel * self.steps)
            return super().fit(*given, **named)

    def build():
        model = Counting()
        model.compile("sgd", "mse")
        return model

    engine = engine_of(build)
    used = [engine.train(OWN, reseed=reseed, seed=3).history for reseed in range(3)]
    assert used == [engine_of(build).train(OWN, reseed=reseed, seed=3).history for reseed in range(3)]


def test_a_catalogue_row_draws_the_weights_with_fans_and_no_others():
    engine = engine_of(regression)
    row = initcheck.INITIALIZERS["he_normal"]
    _, values = engine._members.make(row, 11)
    for place, shape in ((0, (4, 5)), (2, (5, 1))):
        expected = np.asarray(make_initializer(row, layer_seed(11, f"weight {place}"))(shape))
        assert np.array_equal(values[place], expected)
    assert not values[1].any()
    assert "GlorotUniform" in engine._members.describe_replaced()
    assert engine._members.describe_replaced().endswith("2 of 4 weights keep their own")


@pytest.mark.parametrize("row", ["own", "he_normal"])
@pytest.mark.parametrize("build", [noisy, seeded])
def test_members_that_are_drawn_at_once_have_the_bits_of_those_that_are_built(build, row):
    members = engine_of(build, labels if build is noisy else rows)._members
    chosen = OWN if row == "own" else initcheck.INITIALIZERS[row]
    drawn = members.draw(chosen, range(1, 41))
    assert len(drawn) == 40
    for run in (1, 17, 40):
        with globally_seeded(keras, run):
            _, built = members.make(chosen, run)
        assert bitwise_equal(drawn[run - 1], built)


def test_weights_are_named_by_patterns():
    engine = engine_of(regression, weights=["*bias"])
    _, values = engine._members.make(initcheck.INITIALIZERS["ones"], 11)
    assert values[1].tolist() == [1] * 5
    assert not np.all(values[0] == 1)
    with pytest.raises(initcheck.InitcheckError, match=r"named like '\*gamma'; they are"):
        engine_of(regression, weights="*gamma")._members.describe_replaced()


def test_under_its_own_initializers_explicit_seeds_vary_by_run_and_equal_ones_stay_equal():
    engine = engine_of(seeded)
    first, second = (engine._members.make(OWN, run)[1] for run in (1, 2))
    assert np.array_equal(first[0], first[2])
    assert not np.array_equal(first[0], first[4])
    assert not np.array_equal(first[0], second[0])
    expected = keras.initializers.HeNormal(seed=derive_seed(1, "seed", 3))((4, 4))
    assert np.array_equal(first[0], np.asarray(expected))


def test_a_weight_without_fans_refuses_the_catalogue_in_one_line():
    def build():
        model = keras.Sequential([keras.Input((4,)), layers.Dense(1, kernel_initializer="random_normal")])
        model.compile("sgd", "mse")
        return model

    with pytest.raises(initcheck.InitcheckError, match=r"no weight of .* is drawn by its fans.*--weights"):
        engine_of(build).require_buildable(initcheck.INITIALIZERS["he_normal"])
    engine_of(build).require_buildable(OWN)


# The score.


@pytest.mark.parametrize(
    ("asked", "names", "expected"),
    [
        ("", ["accuracy", "loss"], ("accuracy", True)),
        ("", ["loss", "mae"], ("loss", False)),
        ("", ["a_accuracy", "b_accuracy", "loss"], ("loss", False)),
        ("mae", ["loss", "mae"], ("mae", False)),
        ("b_accuracy", ["b_accuracy", "loss"], ("b_accuracy", True)),
        ("auc_1", ["auc_1", "loss"], ("auc_1", True)),
        ("r2_score", ["loss", "r2_score"], ("r2_score", True)),
        (
            "head_root_mean_squared_error",
            ["head_root_mean_squared_error", "loss"],
            ("head_root_mean_squared_error", False),
        ),
        ("mine:max", ["loss", "mine"], ("mine", True)),
        ("mine:min", ["loss", "mine"], ("mine", False)),
        ("loss", ["accuracy", "loss"], ("loss", False)),
    ],
)
def test_the_score_and_its_direction(asked, names, expected):
    problem = initcheck.Problem.of(regression, rows, score=asked)
    score = choose_score(problem, names, [], countable=True)
    assert (score.name, score.higher_is_better) == expected


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("mea", "no metric of the model is named 'mea'; did you mean mae\\?"),
        ("mine", "whether a higher mine is better is not known; say so: --score mine:max, or :min"),
        ("accuracy", "the targets are real numbers, of which accuracy counts none"),
    ],
)
def test_a_score_that_cannot_judge_is_refused_in_one_line(asked, said):
    problem = initcheck.Problem.of(regression, rows, score=asked)
    with pytest.raises(initcheck.InitcheckError, match=said):
        choose_score(problem, ["loss", "mae", "mine", "accuracy"], [], countable=False)


def test_a_metric_that_knows_its_direction_needs_none():
    metric = keras.metrics.MeanSquaredError(name="mine")
    if getattr(metric, "_direction", None) is None:
        pytest.skip("this Keras's metrics do not know their direction")
    problem = initcheck.Problem.of(regression, rows, score="mine")
    assert choose_score(problem, ["loss", "mine"], [metric], countable=True).higher_is_better is False


LOSS, ACCURACY = Score("loss", higher_is_better=False), Score("accuracy", higher_is_better=True)


def judged(loss, metrics=(), units=1, activation=None):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(units, activation)])
    model.compile("sgd", loss, metrics=list(metrics))
    return model


SHARES = np.bincount(CLASSES) / 60


@pytest.mark.parametrize(
    ("model", "y", "score", "expected"),
    [
        (lambda: judged("mse"), Y, LOSS, Y.var()),
        (lambda: judged("mae"), Y, LOSS, np.abs(Y - np.median(Y)).mean()),
        (lambda: judged("mse", ["mae"]), Y, Score("mae", higher_is_better=False), np.abs(Y - np.median(Y)).mean()),
        (
            lambda: judged("sparse_categorical_crossentropy", units=3, activation="softmax"),
            CLASSES,
            LOSS,
            -np.sum(SHARES * np.log(SHARES)),
        ),
        (
            lambda: judged(keras.losses.SparseCategoricalCrossentropy(from_logits=True), units=3),
            CLASSES,
            LOSS,
            -np.sum(SHARES * np.log(SHARES)),
        ),
        (lambda: judged("sparse_categorical_crossentropy", ["accuracy"], 3), CLASSES, ACCURACY, SHARES.max()),
        (
            lambda: judged(keras.losses.BinaryCrossentropy(from_logits=True)),
            (CLASSES[:, None] > 0).astype("float32"),
            LOSS,
            -np.sum([share * np.log(share) for share in (SHARES[0], 1 - SHARES[0])]),
        ),
        (lambda: judged("binary_crossentropy", ["accuracy"]), (CLASSES > 0)[:, None], ACCURACY, 1 - SHARES[0]),
    ],
)
def test_the_best_constant_answer(model, y, score, expected):
    assert best_constant(keras, model(), OwnData(X, y), score) == pytest.approx(expected, rel=1e-5)


def test_the_best_constant_answer_of_batches_is_that_of_their_rows():
    batches = OwnData(tf.data.Dataset.from_tensor_slices((X, Y)).batch(7))
    assert best_constant(keras, judged("mse"), batches, LOSS) == pytest.approx(Y.var(), rel=1e-5)


def test_a_target_lies_halfway_from_a_constant_answer_to_the_best():
    assert default_target(LOSS, 3.0) == 1.5
    assert default_target(ACCURACY, 0.5) == 0.9
    assert default_target(ACCURACY, 0.95) == pytest.approx(0.975)
    assert default_target(Score("r2_score", higher_is_better=True), 0.0) is None
    assert default_target(LOSS, None) is None


def test_real_targets_are_no_classes():
    assert not is_countable(OwnData(X, Y))
    assert is_countable(OwnData(X, CLASSES))
    assert is_countable(OwnData(X, np.full((60, 3), 1 / 3)))
    assert is_countable(OwnData(X, {"a": Y, "b": CLASSES}))  # not known


# Forms of data.


def two_inputs():
    one, two = keras.Input((4,), name="one"), keras.Input((2,), name="two")
    joined = layers.Concatenate()([layers.Dense(3, "tanh")(one), two])
    outputs = {"a": layers.Dense(1, name="a")(joined), "b": layers.Dense(3, "softmax", name="b")(joined)}
    model = keras.Model({"one": one, "two": two}, outputs)
    model.compile("adam", {"a": "mse", "b": "sparse_categorical_crossentropy"}, metrics={"b": ["accuracy"]})
    return model


def one_a_step():
    model = keras.Sequential(
        [keras.Input((5, 2)), layers.Masking(), layers.LSTM(3, return_sequences=True), layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return model


def steps():
    x = X[:50].reshape(20, 5, 2)
    return x, x[:, :, :1], np.linspace(0, 1, 100).reshape(20, 5).astype("float32")


BASE: Any = getattr(keras.utils, "PyDataset", None) or keras.utils.Sequence


class Batches(BASE):
    """Four batches of eight rows."""

    def __len__(self):
        return 4

    def __getitem__(self, place):
        return X[8 * place : 8 * place + 8], Y[8 * place : 8 * place + 8]


def batches(rows=60):
    return tf.data.Dataset.from_tensor_slices((X[:rows], Y[:rows])).shuffle(60).batch(8)


def weighted():
    return X, Y, np.where(X[:, 0] > 0, 1.0, 0.0)


class Reconstruction(keras.Model):
    """Trained on inputs alone by a step of its own, which takes what Keras hands it: no pair."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = layers.Dense(2), layers.Dense(4)
        self.mean = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.mean]

    def call(self, x):
        return self.outer(self.inner(x))

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self._error(data)
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": self.mean.result()}

    def test_step(self, data):
        self._error(data)
        return {"loss": self.mean.result()}

    def _error(self, data):
        loss = tf.reduce_mean((data - self(data)) ** 2)
        self.mean.update_state(loss)
        return loss


def reconstruction():
    model = Reconstruction()
    model.compile("sgd")
    return model


def text():
    words = layers.TextVectorization(max_tokens=9, output_sequence_length=3)
    words.adapt(["a b c", "c d e"])
    model = keras.Sequential(
        [keras.Input((), dtype="string"), words, layers.Embedding(9, 2), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    return model


def stateful():
    model = keras.Sequential([keras.Input((2, 2), batch_size=16), layers.LSTM(2, stateful=True), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def sequences():
    steps = X.reshape(60, 2, 2)
    return (steps[:32], Y[:32]), (steps[32:48], Y[32:48])


FORMS = {
    "batches of one size": (stateful, sequences),
    "texts": (text, lambda: (tf.constant(["a b c", "c d e", "e"] * 20), Y)),
    "inputs alone": (reconstruction, lambda: X),
    "inputs alone, held out": (reconstruction, lambda: ((X,), (X[:9],))),
    "inputs and outputs by name": (two_inputs, lambda: ({"one": X, "two": X[:, :2]}, {"a": Y, "b": CLASSES})),
    "one output a step, masked and weighted": (one_a_step, steps),
    "weights of rows": (regression, weighted),
    "a dataset": (regression, lambda: (batches(), batches(8))),
    "batches of a class": (regression, lambda: (Batches(), Batches())),
    "held-out rows": (regression, lambda: ((X, Y), (X[:9], Y[:9]))),
    "float64": (regression, lambda: (X.astype("float64"), Y.astype("float64"))),
}


QUICK = ("inputs alone", "weights of rows", "a dataset")


@pytest.mark.parametrize("form", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in FORMS])
def test_every_form_of_data_repeats_and_is_counted(form):
    build, data = FORMS[form]
    one, two = (list(engine_of(build, data).runs([OWN], reseeds=range(2), seed=1)) for _ in range(2))
    for mine, other in zip(one, two, strict=True):
        assert mine[0].history == other[0].history
        assert np.isfinite(mine[0].test_score)
    assert one[0][0].loss != one[1][0].loss
    total = count_rows(OwnEngine(initcheck.Problem.of(build, data, epochs=1, batch_size=16))._train)
    assert one[0].train_total == total


@pytest.mark.slow
@pytest.mark.parametrize("form", ["batches of one size", "texts", "inputs alone", "a dataset"])
def test_every_form_of_data_is_trained_stage_by_stage(form):
    build, data = FORMS[form]
    engine = engine_of(build, data)
    one, two = (record_stages(engine, 3) for _ in range(2))
    assert list(one.stages) == list(two.stages)
    assert "predictions" in one.stages
    for stage, arrays in one.stages.items():
        assert bitwise_equal([*arrays], [*two.stages[stage]]), stage


def test_several_steps_per_execution_change_no_result_and_take_nothing_of_the_next_epoch():
    def together():
        model = regression()
        model.compile("sgd", "mse", metrics=["mae"], steps_per_execution=2)  # of three steps of an epoch
        return model

    one, two = (engine_of(build, name="one").train(OWN, reseed=0, seed=1) for build in (regression, together))
    assert one.history == two.history


@pytest.mark.slow
def test_weights_of_rows_count():
    (_, weights) = targets_of(OwnData(*weighted())) or (None, None)
    assert weights is not None
    plain, own = (engine_of(regression, data).train(OWN, reseed=0, seed=1) for data in (rows, weighted))
    assert weights.sum() < 60
    assert plain.loss != own.loss


def endless():
    return batches().repeat(), batches()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (batches, "returns batches alone, of which none can be held out"),
        (endless, "returns a dataset without end; end it with .take"),
        (lambda: (X.tolist(), Y.tolist()), "x is a list; give arrays"),
        (lambda: (X[:1], Y[:1]), "returns 1 row; give enough to hold some out"),
        (lambda: (X[:, :3], Y), "the model cannot be trained: fit raises"),
    ],
)
def test_data_that_cannot_be_used_are_refused_in_one_line(data, said):
    with pytest.raises(initcheck.InitcheckError, match=said) as error:
        engine_of(regression, data)
    assert "\n" not in str(error.value)


def test_the_order_of_a_datasets_batches_is_not_varied():
    engine = engine_of(regression, lambda: (batches(), batches()))
    with pytest.raises(initcheck.InitcheckError, match="their order is its own"):
        engine.require_orders([1])


def test_a_training_that_ends_early_is_refused():
    class Stopping(keras.Model):
        def __init__(self):
            super().__init__()
            self.out = layers.Dense(1)

        def call(self, x):
            return self.out(x)

        def fit(self, *given, **named):
            return super().fit(*given, **{**named, "epochs": 1})

    def build():
        model = Stopping()
        model.compile("sgd", "mse")
        return model

    with pytest.raises(initcheck.InitcheckError, match="fit ended before 2 epochs"):
        engine_of(build).train(OWN, reseed=0, seed=1)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batchsize": 8}, "Problem.of has no setting 'batchsize'; it has epochs"),
        ({"score": "mae:up"}, "its direction is :max or :min"),
        ({"loss": 3}, "loss is"),
        ({"metrics": [3]}, "give a list of texts"),
        ({"name": " "}, "give a text of printable characters"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(settings, said):
    with pytest.raises(initcheck.InitcheckError, match=said):
        initcheck.Problem.of(regression, rows, **settings)


def test_a_problem_is_named_after_its_function():
    problem = initcheck.Problem.of(regression, rows)
    assert isinstance(problem, OwnProblem)
    assert problem.name.endswith("test_own_runs:regression")


@pytest.mark.slow
def test_bits_of_an_ensemble_s_run_do_not_depend_on_what_else_is_trained():
    """Moved by ten places, some of these runs had other last bits: of an example on which kernels sum by places."""
    problem = initcheck.Problem.of(example.build, example.data, epochs=2)
    whole = bits_of(problem, range(64))
    for some in (range(10, 64), [21]):
        assert bits_of(problem, some) == {reseed: whole[reseed] for reseed in some}


def bits_of(problem, reseeds):
    _, finished = OwnEngine(problem).ensemble_runs([OWN], reseeds=reseeds, seed=3)
    return {run.reseed: (tuple(run.history.items()), run.test_score) for runs in finished for run in runs}
