"""The formulas of common layers, against numbers worked out by hand."""

import numpy as np
import pytest

from initcheck.catalog.cases.formulas import FORMULAS, layer_inputs
from initcheck.oracle import arranging, pooling
from initcheck.oracle import image_formulas as images
from initcheck.oracle import layer_outputs as formulas
from initcheck.oracle.rounding import Rounded


def rounded(*arrays):
    return [Rounded(np.array(one, float)) for one in arrays]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [1 + 2 * 2 + 3 * 4, 2 + 2 * 3 + 4 * 4]),
        ({"padding": "same"}, [2 * 1 + 4 * 2, 17, 24, 3 + 2 * 4]),
        ({"padding": "causal"}, [4 * 1, 2 * 1 + 4 * 2, 17, 24]),
        ({"padding": "causal", "dilation_rate": 2}, [4, 8, 2 + 12, 2 * 2 + 4 * 4]),
        ({"padding": "same", "strides": 2}, [17, 3 + 2 * 4]),
    ],
)
def test_convolutions_have_known_values(config, expected):
    kernel, bias, x = rounded([[[1.0]], [[2.0]], [[4.0]]], [0.0], [[[1.0], [2.0], [3.0], [4.0]]])
    assert formulas.convolution([kernel, bias], x, **config).value.ravel().tolist() == expected


def test_normalizations_remove_mean_and_variance():
    scale, shift, mean, variance, x = rounded([2.0], [1.0], [3.0], [4.0 - 1e-3], [[5.0], [1.0]])
    actual = formulas.batch_normalization([scale, shift, mean, variance], x).value
    np.testing.assert_allclose(actual, [[3.0], [-1.0]])
    moved = formulas.updated_averages([scale, shift, mean, variance], x)
    np.testing.assert_allclose([one.value.item() for one in moved[2:]], [3.0, 0.99 * (4.0 - 1e-3) + 0.01 * 4.0])
    scale, shift, x = rounded([1.0, 1.0], [0.0, 5.0], [[3.0, 1.0]])
    actual = formulas.layer_normalization([scale, shift], x).value
    np.testing.assert_allclose(actual, [[1 / np.sqrt(1.001), 5 - 1 / np.sqrt(1.001)]])


def test_a_normalization_in_one_go_stays_within_its_bound_however_close_an_input_is_to_the_mean():
    random = np.random.RandomState(0)
    scale, shift, mean = (random.normal(0, 3, (1, 50)).astype(np.float32) for _ in range(3))
    variance = random.uniform(0.01, 0.1, (1, 50)).astype(np.float32)
    x = (mean + random.normal(0, 1e-3, (400, 50))).astype(np.float32)
    factor = scale / np.sqrt(variance + np.float32(1e-3))
    one_go = x * factor + (shift - mean * factor)  # in float32, as Keras computes it
    bound = formulas.batch_normalization([Rounded(one) for one in (scale, shift, mean, variance)], Rounded(x))
    assert (np.abs(one_go - bound.value) <= bound.error).all()
    assert (np.abs((x - mean) * factor + shift - bound.value) <= bound.error).all()


def test_pooling_has_known_values():
    x = Rounded(np.array([[[1.0], [4.0], [2.0], [3.0], [9.0]]]))
    assert formulas.pooled_maximum([], x).value.ravel().tolist() == [4.0, 3.0]
    assert formulas.pooled_mean([], x).value.ravel().tolist() == [3.8]


def test_windows_leave_out_what_lies_beyond_the_edge():
    x = Rounded(np.array([[[1.0], [-4.0], [2.0]]]))
    same = {"pool_size": 2, "strides": 2, "padding": "same"}
    assert pooling.max_pooling([], x, **same).value.ravel().tolist() == [1.0, 2.0]
    assert pooling.average_pooling([], x, **same).value.ravel().tolist() == [-1.5, 2.0]
    assert pooling.adaptive_average([], x, output_size=2).value.ravel().tolist() == [-1.5, -1.0]


def test_what_is_rearranged_has_known_values():
    x = Rounded(np.arange(6.0).reshape(1, 3, 2))
    assert arranging.cropping([], x, cropping=(1, 0)).value.tolist() == [[[2, 3], [4, 5]]]
    assert arranging.zero_padding([], x[:, :1], padding=(0, 2)).value.tolist() == [[[0, 1], [0, 0], [0, 0]]]
    assert arranging.permute([], x, dims=(2, 1)).value.tolist() == [[[0, 2, 4], [1, 3, 5]]]
    assert arranging.dotted([], [x, x], axes=1).value.tolist() == [[[20, 26], [26, 35]]]
    image = Rounded(np.arange(5.0).reshape(1, 5, 1, 1))
    assert arranging.center_crop([], image, height=2, width=1).value.ravel().tolist() == [1, 2]


@pytest.mark.parametrize("case", FORMULAS, ids=lambda case: case.name)
def test_the_bound_is_tight_enough_to_detect_one_in_ten_thousand(case):
    weights, inputs = layer_inputs(case, 1, "float32")
    output = case.output([Rounded(one) for one in weights], inputs if case.vocabulary else list(map(Rounded, inputs)))
    assert np.max(1e-4 * np.abs(output.value) / (4 * output.error + 1e-30)) > 1


def _line(*values: float) -> Rounded:
    return Rounded(np.array(values)[None, None, :, None])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"width": 2}, [1.5, 5.5]),
        ({"width": 2, "interpolation": "nearest"}, [2.0, 7.0]),
        ({"width": 8}, [1.0, 1.25, 1.75, 2.5, 3.5, 4.75, 6.25, 7.0]),
        ({"width": 8, "interpolation": "nearest"}, [1.0, 1.0, 2.0, 2.0, 4.0, 4.0, 7.0, 7.0]),
    ],
)
def test_resized_images_have_known_values(config, expected):
    actual = images.resized([], _line(1.0, 2.0, 4.0, 7.0), height=1, **config).value
    assert actual.ravel().tolist() == expected


def test_images_keep_their_ratio_by_a_cut_or_by_padding():
    x = Rounded(np.arange(24.0).reshape(1, 4, 6, 1))
    cut = images.resized([], x, height=2, width=2, interpolation="nearest", crop_to_aspect_ratio=True).value
    assert cut[0, :, :, 0].tolist() == [[8.0, 10.0], [20.0, 22.0]]
    padded = images.resized([], x, height=6, width=6, pad_to_aspect_ratio=True, fill_value=-1.0).value
    assert padded[0, 1:5, :, 0].tolist() == x.value[0, :, :, 0].tolist()
    assert np.all(padded[0, [0, 5]] == -1.0)


def test_contrast_and_solarization_have_known_values():
    x = _line(1.0, 2.0, 5.0)
    assert images.stretched([], x).value.ravel().tolist() == [0.0, 63.75, 255.0]
    assert images.stretched([], x, value_range=(0.0, 1.0)).value.ravel().tolist() == [0.0, 0.25, 1.0]
    solarized = images.solarized([], x, threshold_factor=(0.5, 0.5), value_range=(0.0, 4.0)).value
    assert solarized.ravel().tolist() == [1.0, 2.0, 0.0]


def test_a_normalized_kernel_has_length_one_in_its_largest_direction():
    kernel, u, bias, x = rounded([[3.0, 0.0], [0.0, 1.0]], [[1.0, 1.0]], [0.5, 0.5], [[1.0, 1.0]])
    once, again, _ = formulas.updated_spectral([kernel, u, bias], x)
    np.testing.assert_allclose(again.value, np.array([[9.0, 1.0]]) / np.sqrt(82))
    np.testing.assert_allclose(once.value, kernel.value / np.sqrt(82.0 / 10.0))
    many, *_ = formulas.updated_spectral([kernel, u, bias], x, power_iterations=30)
    np.testing.assert_allclose(many.value, kernel.value / 3)
    np.testing.assert_allclose(formulas.spectral([kernel, u, bias], x).value, [[3.5, 1.5]])
    trained = formulas.spectral_in_training([kernel, u, bias], x, power_iterations=30).value
    np.testing.assert_allclose(trained, [[1.5, 1 / 3 + 0.5]])


def test_a_penalty_is_shared_by_the_rows():
    (x,) = rounded([[1.0, -2.0], [0.0, 3.0]])
    assert formulas.penalty_by_row([], x, l1=0.5, l2=0.25).value == (0.5 * 6 + 0.25 * 14) / 2


def test_an_embedding_reversed_projects_to_its_rows():
    table, x = rounded([[1.0, 0.0], [2.0, 1.0], [0.0, -1.0]], [[3.0, 4.0]])
    assert formulas.reversed_embedding([table], x).value.tolist() == [[3.0, 10.0, -4.0]]
    assert formulas.reversed_embedding([table, Rounded(np.eye(2))], x).value.tolist() == [[3.0, 4.0]]
    capped = formulas.reversed_embedding([table], x, logit_soft_cap=2.0).value
    np.testing.assert_allclose(capped, 2 * np.tanh(np.array([[1.5, 5.0, -2.0]])))
