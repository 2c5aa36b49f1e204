"""The judges of laws on draws made by NumPy: correct ones pass, slightly wrong ones fail."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from fakes import FakeLab, Generator, healthy_draw
from scipy.special import ndtr, ndtri

from initcheck.catalog.cases import variants
from initcheck.catalog.cases.layer_defaults import DEFAULTS
from initcheck.catalog.initializers import INITIALIZERS, Initializer
from initcheck.catalog.laws import ElementLaw
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.noises import ImageLaw
from initcheck.catalog.layers.traits.weights import FORGET_GATE
from initcheck.checks import registry
from initcheck.checks.laws import (
    augmentation,
    default_weights,
    fans,
    given_weights,
    initializer_draws,
    large_draws,
    layer_noise,
    orthogonal,
    precision,
    random_functions,
    samples,
    strings,
)
from initcheck.checks.registry import NotApplicable
from initcheck.records import Status, Verdict
from initcheck.statistics import budget, dependence, goodness
from initcheck.statistics.budget import EFFORTS

ALPHA = 1e-6
HE, NORMAL, UNIFORM = (INITIALIZERS[name] for name in ("he_normal", "standard_normal", "unit_uniform"))
ORTHOGONAL, ZEROS = INITIALIZERS["orthogonal"], INITIALIZERS["zeros"]


def _status(verdict: Verdict) -> str:
    assert str(verdict)
    return verdict.status.value


def _wrong(change: Callable[..., Any]) -> Generator:
    """Healthy draws, changed."""
    return lambda row, shape, seed, dtype: change(healthy_draw(row, shape, seed, dtype))


@pytest.mark.parametrize("row", [HE, NORMAL, UNIFORM, variants.RANDOM_VARIANTS[-2]], ids=lambda row: row.name)
def test_healthy_draws_pass(row: Initializer) -> None:
    lab = FakeLab()
    assert _status(initializer_draws.support(lab, row)) == "pass"
    for judge in (
        initializer_draws.mean_and_signs,
        initializer_draws.scale,
        initializer_draws.distribution,
        initializer_draws.independence,
        precision.other_dtypes,
        large_draws.large,
    ):
        assert _status(judge(lab, row, ALPHA)) == "pass", judge.__name__
    assert _status(initializer_draws.edge_shapes(lab, row)) == "pass"


def _with_copy(values: np.ndarray, sign: int) -> np.ndarray:
    """The draw with 1,000 of its elements copied to another place, with another sign where asked."""
    copied = values.copy().reshape(-1)
    copied[500_123:501_123] = sign * copied[77:1077]
    return copied.reshape(values.shape)


# What judges it, the row, and what is only just wrong with its draws.
FAULTS = [
    (initializer_draws.mean_and_signs, NORMAL, lambda values: values + np.float32(0.02)),
    (
        initializer_draws.mean_and_signs,
        UNIFORM,
        lambda values: np.where(values == values.max(), values, values + 0.006),
    ),
    (initializer_draws.scale, NORMAL, lambda values: values * np.float32(1.013)),
    (initializer_draws.scale, HE, lambda values: values * np.float32(0.985)),
    (initializer_draws.scale, NORMAL, lambda values: values * np.float32(1.05 if values.ndim == 1 else 1)),
    (initializer_draws.distribution, UNIFORM, lambda values: np.float32(0.001) + values * np.float32(0.998)),
    (initializer_draws.distribution, UNIFORM, lambda values: np.round(values * 4096) / 4096),
    (initializer_draws.distribution, NORMAL, lambda values: np.sign(values) * np.abs(values) ** 1.05),
    (
        initializer_draws.distribution,
        NORMAL,
        lambda values: np.where(np.arange(values.size).reshape(values.shape) == 5, 9, values),
    ),
    (
        initializer_draws.independence,
        NORMAL,
        lambda values: (values + 0.06 * np.roll(values, 3, axis=-1)) / math.sqrt(1.0036),
    ),
    (initializer_draws.independence, NORMAL, lambda values: values - values.mean(axis=0)),
    (precision.other_dtypes, NORMAL, lambda values: values * 1.06 if values.dtype == "float64" else values),
    (precision.other_dtypes, NORMAL, lambda values: values * 1.06 if values.ndim == 2 else values),
    (precision.other_dtypes, NORMAL, lambda values: values * 1.06 if values.ndim == 4 else values),
    (
        precision.other_dtypes,
        INITIALIZERS["truncated_normal"],
        lambda values: np.clip(values, -0.0975, 0.0975) if values.dtype == "float16" else values,
    ),
    (large_draws.large, NORMAL, lambda values: np.clip(values, -4.3, 4.3)),
    (
        large_draws.outliers,
        NORMAL,
        lambda values: np.where(values == values.min(), np.float32(-9), values),  # one in 2²³
    ),
    (large_draws.large, HE, lambda values: _with_copy(values, 1)),
    (large_draws.large, HE, lambda values: -_with_copy(values.T, -1).T),
    (precision.other_dtypes, HE, lambda values: np.abs(values) if values.ndim == 2 else values),
    (precision.other_dtypes, HE, lambda values: np.abs(values) if values.ndim == 4 else values),
    *(
        (precision.other_dtypes, row, lambda values: values.astype("float32").astype(values.dtype))
        for row in (UNIFORM, NORMAL, HE)
    ),
]


@pytest.mark.parametrize(
    ("judge", "row", "change"),
    FAULTS,
    ids=[f"{judge.__name__}-{row.name}-{number}" for number, (judge, row, _) in enumerate(FAULTS)],
)
def test_draws_that_are_slightly_wrong_fail(judge: Any, row: Initializer, change: Any) -> None:
    lab = FakeLab(lambda *asked: np.asarray(change(healthy_draw(*asked)), healthy_draw(*asked).dtype))
    assert _status(judge(lab, row, ALPHA)) == "fail"


def test_as_many_dtypes_and_shapes_are_judged_as_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def spy(groups: dict[str, np.ndarray], test: object) -> goodness.Finding:
        judged.extend(groups)
        (name,) = groups
        return goodness.Finding(name, 0.0, 1, 1e-3 if len(judged) == 1 else 1.0)

    monkeypatch.setattr(precision, "most_suspicious", spy)
    verdict = precision.other_dtypes(FakeLab(), HE, ALPHA)
    assert {judged.count(name) for name in judged if "float64" in name} == {5}
    assert {judged.count(name) for name in judged if "float16" in name} == {4}
    assert len(set(judged)) == 6
    assert len(judged) == precision.TESTS  # what its sample size counts on
    assert verdict.p_value == pytest.approx(1e-3 * len(judged))


def test_a_library_that_draws_in_float32_alone_is_not_judged_in_other_dtypes() -> None:
    lab = SimpleNamespace(draws=SimpleNamespace(dtypes=lambda _: ("float32",)))
    with pytest.raises(NotApplicable, match="he_normal is drawn in float32 alone"):
        precision.other_dtypes(lab, HE, ALPHA)


def test_an_element_beyond_the_support_fails() -> None:
    assert _status(initializer_draws.support(FakeLab(_wrong(lambda values: values * np.float32(1.001))), HE)) == "fail"
    assert _status(initializer_draws.support(FakeLab(_wrong(lambda values: values.astype("float64"))), HE)) == "fail"


def test_constants_are_compared_exactly() -> None:
    identity = INITIALIZERS["identity"]
    assert _status(initializer_draws.constants(FakeLab(), identity)) == "pass"
    assert (
        _status(initializer_draws.constants(FakeLab(_wrong(lambda values: values + values.dtype.type(1e-7))), ZEROS))
        == "fail"
    )
    with pytest.raises(NotApplicable, match="he_normal is random"):
        initializer_draws.constants(FakeLab(), HE)


def test_orthogonal_draws_are_judged_by_their_rows_and_their_signs() -> None:
    lab = FakeLab()
    assert _status(orthogonal.orthonormality(lab, ORTHOGONAL)) == "pass"
    assert _status(orthogonal.haar(lab, ORTHOGONAL, ALPHA)) == "pass"
    stretched = FakeLab(_wrong(lambda values: values * values.dtype.type(1.01)))
    assert _status(orthogonal.orthonormality(stretched, ORTHOGONAL)) == "fail"
    uncorrected = FakeLab(_wrong(lambda values: values * np.sign(values.reshape(-1)[0])))
    assert _status(orthogonal.haar(uncorrected, ORTHOGONAL, ALPHA)) == "fail"
    assert _status(orthogonal.orthonormality(uncorrected, ORTHOGONAL)) == "pass"
    for dtype in ("float64", "float16"):
        there = FakeLab(
            _wrong(lambda values, dtype=dtype: values * np.sign(values.flat[0]) if values.dtype == dtype else values)
        )
        assert _status(orthogonal.haar(there, ORTHOGONAL, ALPHA)) == "fail"


def test_elementwise_checks_do_not_apply_to_orthogonal_rows() -> None:
    with pytest.raises(NotApplicable, match="orthogonal has no independent random elements"):
        initializer_draws.scale(FakeLab(), ORTHOGONAL, ALPHA)


def test_an_excluded_shape_must_be_rejected() -> None:
    lab = FakeLab()
    assert _status(initializer_draws.edge_shapes(lab, ORTHOGONAL)) == "pass"
    lenient = SimpleNamespace(
        draws=SimpleNamespace(refusal=lambda row, shape: "", draw=lab.draws.draw), stream=lab.stream
    )
    assert _status(initializer_draws.edge_shapes(lenient, ORTHOGONAL)) == "fail"


def _layers(factor: float) -> SimpleNamespace:
    """Layers that draw glorot-scaled kernels by their units' fans, times a factor."""

    def weights(request: Any, rows: dict[str, tuple[Initializer, int]]) -> list[np.ndarray]:
        ((row, seed),) = rows.values()
        shape = (request.inputs[0][-1], request.arguments["units"])
        return [healthy_draw(row, shape, seed) * np.float32(factor)]

    return SimpleNamespace(offers=lambda layer: True, weights=weights)


def test_a_dense_kernels_scale_is_compared_with_its_fans() -> None:
    right, wrong = FakeLab(layers=_layers(1.0)), FakeLab(layers=_layers(1.04))
    for mode in ("fan_in", "fan_out"):
        assert _status(fans.layer_fans(right, ("dense", mode), ALPHA)) == "pass"
        assert _status(fans.layer_fans(wrong, ("dense", mode), ALPHA)) == "fail"
        assert _status(fans.layer_units(right, ("dense", mode), ALPHA)) == "pass"


def _lstm(bias: float, row: str) -> FakeLab:
    units, inputs = 10, 4000
    kernel = healthy_draw(INITIALIZERS[row], (inputs, 4 * units), 1)
    forget = np.zeros(4 * units, np.float32)
    forget[units : 2 * units] = bias
    weights = [kernel, healthy_draw(ORTHOGONAL, (units, 4 * units), 2), forget]
    return FakeLab(layers=SimpleNamespace(offers=lambda layer: True, defaults=lambda request, seed: weights))


def test_defaults_have_their_documented_shapes() -> None:
    expected = DEFAULTS["GRU"]
    kernel, recurrent, bias = expected.shapes
    weights = [healthy_draw(row, shape, 3) for row, shape in zip(expected.initializers, expected.shapes, strict=True)]
    assert bias == (2, 30)
    for shape, status in ((bias, "pass"), (bias[1:], "fail")):
        made = [*weights[:2], np.zeros(shape, np.float32)]
        assert _status(default_weights.judge_weights("GRU", made, expected, ALPHA)) == status
    assert all(len(one.shapes) == len(one.initializers) for one in DEFAULTS.values())
    assert (kernel, recurrent) == ((4000, 30), (10, 30))


def _given(change: Callable[..., Any] = lambda dtype, values: values) -> FakeLab:
    """Layers whose weights are their initializers' draws, changed."""

    def weights(request: Any, rows: dict[str, tuple[Initializer, int]]) -> list[np.ndarray]:
        policy = request.arguments.get("dtype", "float32")
        dtype = given_weights.POLICIES[policy]
        shapes = [(6, 20), (5, 20), (20,)]
        weights = [
            healthy_draw(row, shape, seed, dtype) for (row, seed), shape in zip(rows.values(), shapes, strict=False)
        ]
        if request.layer == "LSTM":
            weights[2][5:10] = 1
        return [change(policy, values) for values in weights]

    return FakeLab(layers=SimpleNamespace(offers=lambda layer: True, weights=weights))


def test_a_layers_weights_are_compared_with_its_initializers_draws() -> None:
    assert _status(given_weights.layers_use_their_initializers(_given(), "lstm,forget_gate")) == "pass"
    assert _status(given_weights.layers_use_their_initializers(_given(), "lstm,no_forget_bias")) == "fail"
    assert _status(given_weights.layers_use_their_initializers(_given(), "embedding,masked")) == "pass"

    def masked(policy: str, values: np.ndarray) -> np.ndarray:
        values[0] = 0
        return values

    for name in ("embedding,masked", "lstm,forget_gate"):
        assert _status(given_weights.layers_use_their_initializers(_given(masked), name)) == "fail"


def test_every_argument_meets_each_initializer_in_as_few_layers_as_there_are_initializers() -> None:
    lab, built = _given(), []
    make = lab.draws.layers.weights

    def weights(request: Any, rows: dict[str, tuple[Initializer, int]]) -> list[np.ndarray]:
        built.append(rows)
        made: list[np.ndarray] = make(request, rows)
        return made

    lab.draws.layers.weights = weights
    assert _status(given_weights.layers_use_their_initializers(lab, "lstm,forget_gate")) == "pass"
    met = {name: sorted(rows[name][0].name for rows in built) for name in ("kernel_initializer", "bias_initializer")}
    assert met["kernel_initializer"] == ["constant", "he_normal", "lecun_uniform", "random_uniform"]
    assert "constant" in met["bias_initializer"]
    assert all(len({row.name for row, _ in rows.values()}) > 1 for rows in built)  # arguments that are swapped differ


def test_every_weight_that_an_argument_decides_is_compared() -> None:
    places = given_weights.OPTIONS["attention,biases"].places
    assert len(dict(places)) < len(places)  # one argument, several biases

    def status(wrong: int | None) -> str:
        def weights(request: Any, rows: dict[str, tuple[Initializer, int]]) -> list[np.ndarray]:
            made = [np.zeros(6, np.float32) for _ in range(1 + max(place for _, place in places))]
            for argument, place in places:
                row, seed = rows[argument]
                made[place] = healthy_draw(row, (6,), seed) + (place == wrong)
            return made

        lab = FakeLab(layers=SimpleNamespace(offers=lambda layer: True, weights=weights))
        return _status(given_weights.layers_use_their_initializers(lab, "attention,biases"))

    assert status(None) == "pass"
    assert {status(place) for _, place in places} == {"fail"}


@pytest.mark.parametrize("policy", list(given_weights.POLICIES))
def test_a_layers_weights_have_the_dtype_of_its_policy(policy: str) -> None:
    assert _status(given_weights.layer_dtypes(_given(), policy)) == "pass"
    assert _status(given_weights.layer_dtypes(_given(lambda policy, values: values.astype("float16")), policy)) == (
        "pass" if policy == "float16" else "fail"
    )


def test_doubles_that_are_cast_floats_are_no_draws_of_that_dtype() -> None:
    cast = _given(lambda policy, values: values.astype("float32").astype(values.dtype))
    assert _status(given_weights.layer_dtypes(cast, "float64")) == "fail"
    assert _status(given_weights.layer_dtypes(cast, "mixed_float16")) == "pass"


def _asked(**methods: object) -> SimpleNamespace:
    lab = FakeLab()
    draws = SimpleNamespace(draw=lab.draws.draw, dtypes=lab.draws.dtypes, **methods)
    return SimpleNamespace(draws=draws, stream=lab.stream)


def test_the_default_dtype_is_the_frameworks_own() -> None:
    right = _asked(under=lambda floatx, row, shape, seed: healthy_draw(row, shape, seed, floatx))
    wrong = _asked(under=lambda floatx, row, shape, seed: healthy_draw(row, shape, seed))
    for row in (HE, ZEROS):
        assert _status(initializer_draws.default_dtype(right, row)) == "pass"
        assert _status(initializer_draws.default_dtype(wrong, row)) == "fail"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (("RandomNormal", {"mean": 0.0, "stddev": 0.05, "seed": None}), "pass"),
        (("RandomNormal", {"mean": 0.0, "stddev": 0.053, "seed": None}), "fail"),
        (("RandomNormal", {"mean": 0.0, "stddev": 0.05, "seed": 7}), "fail"),
        (("TruncatedNormal", {"mean": 0.0, "stddev": 0.05}), "fail"),
    ],
)
def test_a_string_stands_for_its_documented_arguments(answer: object, status: str) -> None:
    assert _status(strings.string_arguments(_asked(described=lambda name, keras_class: answer), "normal")) == status


def _function(name: str, arguments: dict[str, Any], seed: int) -> np.ndarray:
    """Healthy draws of the functions of ``keras.random``."""
    stream, shape = np.random.RandomState(seed % 2**32), arguments.get("shape", (250, 200))
    draws: dict[str, Any] = {
        "normal": lambda: stream.normal(1, 2, shape),
        "uniform": lambda: stream.uniform(-1, 3, shape),
        "truncated_normal": lambda: healthy_draw(variants.RANDOM_VARIANTS[11], shape, seed, "float64") * 2 / 0.5 + 9,
        "randint": lambda: stream.randint(arguments["minval"], arguments["maxval"], shape),
        "gamma": lambda: stream.gamma(0.7, size=shape),
        "beta": lambda: stream.beta(2, 3, shape),
        "binomial": lambda: stream.binomial(10, 0.3, shape),
        "categorical": lambda: stream.choice(4, (2, 50_000), p=(0.1, 0.2, 0.3, 0.4)),
        "dropout": lambda: (stream.uniform(size=shape) < 0.7) * np.float64(1 / 0.7),
        "shuffle": lambda: np.take(arguments["x"], stream.permutation(100_000), arguments.get("axis", 0)),
    }
    drawn = np.asarray(draws[name]())
    dtype: Any = arguments.get("dtype", drawn.dtype)
    return drawn.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


_FUNCTION_FAULTS = {
    "normal": lambda values: values * 1.1,
    "uniform": lambda values: np.minimum(values, 2.88),
    "truncated_normal": lambda values: values + 0.1,
    "randint": lambda values: np.minimum(values, np.int32(9)) if values.max() < 11 else values // 256 * 256 % 2**29,
    "gamma": lambda values: values * 1.1,
    "beta": lambda values: 1 - values,
    "binomial": lambda values: np.maximum(values, 1),
    "categorical": lambda values: 3 - values,
    "dropout": lambda values: values * 1.001,
    "shuffle": lambda values: np.sort(values, axis=np.argmax(values.shape)),
}


def _bright(case: ImageLaw, count: int, factor: float, *, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The images that a RandomBrightness of (−0.1, 0.3) makes of gray ones, wider by that factor; no labels."""
    drawn = np.random.RandomState(5).uniform(-0.1, 0.3, (count, 1, 1, channels))
    return np.asarray(case.image + factor * 255 * drawn), np.empty(0)


def _mixed(count: int, *, swapped: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Black and white images by turns, of which MixUp mixes half with one of the other kind, and their labels."""
    stream, kind = np.random.RandomState(6), np.resize([0.0, 1.0], count)
    shares = np.where(stream.uniform(size=count) < 0.5, stream.beta(0.8, 0.8, count), 0.0)
    white = np.abs(kind - shares)
    labels = np.stack([1 - white, white], axis=1)
    return white[:, None, None, None], labels[:, ::-1] if swapped else labels


def test_images_are_compared_with_their_laws() -> None:
    case = next(case for case in select(ImageLaw) if case.name == "RandomBrightness")

    def judge(images: Any) -> str:
        lab = FakeLab(layers=SimpleNamespace(images=lambda case, count, seed: images(case, count)))
        return _status(augmentation.image_draws(lab, case, ALPHA))

    assert judge(lambda case, count: _bright(case, count, 1.0)) == "pass"
    assert judge(lambda case, count: _bright(case, count, 1.05)) == "fail"
    assert judge(lambda case, count: _bright(case, count, 1.0, channels=3)) == "fail"
    with pytest.raises(NotApplicable):
        judge(lambda case, count: None)
    case = next(case for case in select(ImageLaw) if case.name == "MixUp")
    assert judge(lambda case, count: _mixed(count)) == "pass"
    assert judge(lambda case, count: _mixed(count, swapped=True)) == "fail"
    assert judge(lambda case, count: _mixed(1000)) == "fail"


@pytest.mark.parametrize("case", random_functions.CASES, ids=lambda case: case.name)
def test_functions_are_compared_with_their_laws(case: random_functions.FunctionCase) -> None:
    assert _status(random_functions.functions(_asked(function=_function), case, ALPHA)) == "pass"
    change = _FUNCTION_FAULTS[case.function]
    for wrong in (
        _asked(function=lambda name, arguments, seed: change(_function(name, arguments, seed))),
        _asked(function=lambda name, arguments, seed: _function(name, arguments, 1)),
    ):
        assert _status(random_functions.functions(wrong, case, ALPHA)) == "fail"
    with pytest.raises(NotApplicable, match=r"has no keras\.random\."):
        random_functions.functions(_asked(function=lambda name, arguments, seed: None), case, ALPHA)


# What is wrong though each value by itself follows its law, and for which functions.
_DEPENDENT_FAULTS = [
    ("normal", lambda values: np.repeat(values[::2], 2, axis=0)),
    ("dropout", lambda values: np.broadcast_to(values[:, :1], values.shape)),
    ("categorical", lambda values: np.concatenate([values[:, :25_000], values[:, :25_000]], axis=1)),
    ("uniform", lambda values: np.concatenate([values[:125], 2 - values[:125]])),
    ("shuffle", lambda values: _moved(values, 0)),
    ("shuffle", lambda values: _moved(values, len(values) - 1)),
]


def _moved(values: np.ndarray, place: int) -> np.ndarray:
    """The shuffle of 0, 1, … in which that number has changed places with the one in its place."""
    changed = values.copy()
    changed[[place, int(np.flatnonzero(values == place)[0])]] = place, values[place]
    return changed


@pytest.mark.parametrize(
    ("name", "change"),
    _DEPENDENT_FAULTS,
    ids=[f"{name}-{number}" for number, (name, _) in enumerate(_DEPENDENT_FAULTS)],
)
def test_values_of_functions_are_independent_and_no_end_stays_where_it_was(name: str, change: Any) -> None:
    case = next(case for case in random_functions.CASES if case.name == name)
    wrong = _asked(function=lambda name, arguments, seed: change(_function(name, arguments, seed)))
    assert _status(random_functions.functions(wrong, case, ALPHA)) == "fail"


def test_defaults_are_compared_with_the_documented_ones() -> None:
    assert DEFAULTS["LSTM"].initializers[-1] is FORGET_GATE
    assert _status(default_weights.layer_defaults(_lstm(1.0, "glorot_uniform"), "LSTM", ALPHA)) == "pass"
    assert _status(default_weights.layer_defaults(_lstm(0.0, "glorot_uniform"), "LSTM", ALPHA)) == "fail"
    assert _status(default_weights.layer_defaults(_lstm(1.0, "glorot_normal"), "LSTM", ALPHA)) == "fail"


@pytest.mark.parametrize(("rate", "passes"), [(0.3, True), (0.28, False), (0.32, False)])
def test_dropout_of_channels_is_compared_with_its_rate(rate: float, passes: bool) -> None:
    case = next(one for one in layer_noise.CASES if one.layer == "SpatialDropout1D")
    stream, inputs = np.random.RandomState(0), layer_noise.inputs(case)
    rows, _, channels = inputs.shape
    assert rows * channels == layer_noise.draws(case) >= min(map(layer_noise.draws, layer_noise.CASES))
    dropped = [stream.uniform(size=(rows, 1, channels)) < rate for _ in range(2)]
    outputs = [np.where(one, 0, inputs * np.float32(1 / 0.7)).astype("float32") for one in dropped]
    assert layer_noise.exact_problem(case, inputs, outputs) == ""
    assert (layer_noise.judge(case, inputs, outputs).p_value > ALPHA) is passes


@pytest.mark.parametrize(("rate", "passes"), [(0.5, True), (0.48, False)])
def test_dropout_is_compared_with_its_rate(rate: float, passes: bool) -> None:
    case = next(one for one in layer_noise.CASES if one.name == "Dropout(0.5)")
    stream, inputs = np.random.RandomState(0), layer_noise.inputs(case)
    outputs = [np.where(stream.uniform(size=inputs.shape) < rate, 0, 2 * inputs).astype("float32") for _ in range(2)]
    assert layer_noise.exact_problem(case, inputs, outputs) == ""
    assert (layer_noise.judge(case, inputs, outputs).p_value > ALPHA) is passes
    assert layer_noise.exact_problem(case, inputs, [outputs[0], outputs[0]])
    assert layer_noise.exact_problem(case, inputs, [one * np.float32(1.0001) for one in outputs])


@pytest.mark.parametrize("name", ["Dropout(0.4,steps)", "SpatialDropout2D(0.3)", "SpatialDropout3D(0.3)"])
def test_elements_of_one_set_are_dropped_together(name: str) -> None:
    case = next(one for one in layer_noise.CASES if one.name == name)
    stream, inputs = np.random.RandomState(0), layer_noise.inputs(case)
    together = tuple(1 if axis in case.shared_axes else length for axis, length in enumerate(case.shape))
    for shape, right in ((together, True), (case.shape, False)):
        masks = [stream.uniform(size=shape) < case.strength for _ in range(2)]
        outputs = [np.where(mask, 0, inputs * np.float32(1 / (1 - case.strength))).astype("float32") for mask in masks]
        assert (layer_noise.exact_problem(case, inputs, outputs) == "") is right
    assert math.prod(together) == layer_noise.draws(case)


@pytest.mark.parametrize("sharing", [None, "units", "rows"])
def test_elements_are_dropped_independently(sharing: str | None) -> None:
    case = next(one for one in layer_noise.CASES if one.name == "Dropout(0.5)")
    stream, inputs = np.random.RandomState(0), layer_noise.inputs(case)
    masks = [stream.uniform(size=case.shape) < 0.5 for _ in range(2)]
    if sharing == "units":
        masks = [np.repeat(mask[..., ::2], 2, axis=-1) for mask in masks]
    if sharing == "rows":
        masks = [np.concatenate([mask[:32], mask[:32]]) for mask in masks]
    outputs = [np.where(mask, 0, 2 * inputs).astype("float32") for mask in masks]
    assert layer_noise.exact_problem(case, inputs, outputs) == ""
    assert (layer_noise.judge(case, inputs, outputs).p_value > ALPHA) is (sharing is None)


def test_saturating_dropout_keeps_mean_and_variance() -> None:
    case = next(one for one in layer_noise.CASES if one.name == "AlphaDropout(0.2)")
    stream, inputs = np.random.RandomState(0), layer_noise.inputs(case)
    scale, shift = layer_noise._affine(case)
    # By the paper: of inputs with mean 0 and variance 1, the outputs' mean is 0 and their variance 1.
    mean = scale * 0.2 * layer_noise._SATURATED + shift
    square = (
        scale**2 * (0.8 + 0.2 * layer_noise._SATURATED**2) + 2 * scale * shift * 0.2 * layer_noise._SATURATED + shift**2
    )
    assert mean == pytest.approx(0, abs=1e-12)
    assert square == pytest.approx(1)
    masks = [stream.uniform(size=case.shape) < 0.2 for _ in range(2)]
    outputs = [(scale * np.where(mask, layer_noise._SATURATED, inputs) + shift).astype("float32") for mask in masks]
    assert layer_noise.exact_problem(case, inputs, outputs) == ""
    assert layer_noise.judge(case, inputs, outputs).p_value > ALPHA
    assert layer_noise.exact_problem(case, inputs, [one * np.float32(1.01) for one in outputs])


def test_p_values_of_a_healthy_generator_are_not_too_small_too_often() -> None:
    stream = np.random.RandomState(3)
    law = goodness.unit_law("normal")
    p_values = []
    for _ in range(200):
        sample = stream.standard_normal(4096)
        p_values += [
            [
                goodness.mean_test()(sample)[1],
                goodness.scale_test(3.0)(sample)[1],
                goodness.shape_test(law)(sample)[1],
                goodness.extremes_test(law)(sample)[1],
                goodness.magnitude_test(law)(sample)[1],
                dependence.within(sample, law).p_value,
                dependence.rows(sample.reshape(64, 64), law).p_value,
            ]
        ]
    below = np.mean(np.array(p_values) < 0.1, axis=0)
    # 200 draws: 0.1 ± 4.4 binomial deviations of 0.021.
    assert np.all(below < 0.1 + 4.4 * 0.0213), below


def test_sample_sizes_follow_the_power_formula() -> None:
    # By hand: ((4.753 + 3.290) / ln 1.05)² = 27,176, of which a normal law takes half, a uniform one a fifth.
    assert goodness.samples_for_scale(0.05, 3.0, 2e-6, 1) == pytest.approx(13_588, rel=1e-3)
    assert goodness.samples_for_scale(0.05, 1.8, 2e-6, 1) == pytest.approx(5_435, rel=1e-3)


def test_statistical_checks_take_enough_samples_even_when_quick() -> None:
    share = registry.budget_share()
    for check in registry.all_checks():
        if check.samples is not None and check.min_samples is not None:
            assert check.samples(EFFORTS["quick"]) >= check.min_samples(share), check.code


def test_two_draws_detect_a_stated_effect_with_the_power_promised() -> None:
    assert math.isclose(goodness.LOOK_POWER**2, budget.POWER)
    n = goodness.samples_for_shift(0.1, 1e-3, 1)
    reserve = 0.1 * math.sqrt(n) - float(ndtri(1 - 5e-4))
    assert float(ndtr(reserve)) == pytest.approx(0.9995, abs=2e-5)


def _power(test: goodness.Test, draw: Callable[[], np.ndarray], alpha: float) -> float:
    """Returns how many of 400 p-values are below α."""
    return float(np.mean([test(draw())[1] < alpha for _ in range(400)]))


def test_sample_sizes_give_the_power_that_they_are_for() -> None:
    stream, alpha = np.random.RandomState(5), 1e-4
    unit = goodness.unit_law("uniform")
    n = goodness.samples_for_distance(0.05, alpha, 3)
    # A share of 0.05 is moved from the upper half to the lower one: the distribution functions are 0.05 apart at 0.
    assert (
        _power(
            goodness.shape_test(unit),
            lambda: stream.uniform(0, 1, n) * np.where(stream.uniform(size=n) < 0.55, -1, 1) * math.sqrt(3),
            alpha / 3,
        )
        >= 0.99
    )
    n = goodness.samples_for_limit(0.01, alpha, 3)
    assert _power(goodness.extremes_test(unit), lambda: stream.uniform(-0.99, 0.99, n) * math.sqrt(3), alpha / 3) == 1
    n = goodness.samples_for_repeats(2.0**-16, 20, alpha, 3)
    assert _power(goodness.resolution_test(20), lambda: stream.randint(0, 2**16, n).astype(float), alpha / 3) >= 0.99
    assert _power(goodness.resolution_test(20), lambda: stream.randint(0, 2**20, n).astype(float), alpha / 3) <= 0.01


def test_two_cases_that_fill_to_one_shape_are_one() -> None:
    # Totals of 20 to 25 fill an axis of 12 to one of two lengths.
    drawn = tuple(
        samples.Draw(kind, shape, 0, np.zeros(shape), ElementLaw("normal", 0.0, 1.0))
        for kind, shape in samples.shapes(20)
    )
    assert len({(draw.kind, draw.shape) for draw in drawn}) == len(drawn) == samples.GROUPS - 1 - samples.CLASSES
    assert len(samples.groups(drawn)) == samples.GROUPS


def test_shapes_are_the_same_at_every_call_and_large_enough() -> None:
    shapes = samples.shapes(7000)
    samples.shapes.cache_clear()
    assert samples.shapes(7000) == shapes
    assert len(shapes) == samples.GROUPS - 1 - samples.CLASSES
    assert all(7000 <= math.prod(shape) < 16_000 for _, shape in shapes)


@pytest.mark.parametrize("family", ["uniform", "normal", "truncated_normal"])
def test_distribution_functions_agree_with_scipy(family: Any) -> None:
    law = ElementLaw(family, 0.3, 2.0)
    at = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(goodness.cdf(law, at), law.distribution.cdf(at), rtol=0, atol=1e-12)


def test_verdicts_know_their_numbers() -> None:
    verdict = initializer_draws.scale(FakeLab(), HE, ALPHA)
    assert verdict.status is Status.PASS
    assert verdict.alpha == ALPHA
    assert verdict.n is not None
    assert verdict.p_value is not None
