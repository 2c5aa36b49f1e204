"""Arrays of frameworks as NumPy's."""

import ml_dtypes
import numpy as np
import pytest

from initcheck.frameworks.arrays import as_array


@pytest.mark.parametrize("value", [1.5, [1.5, 2.0]], ids=["number", "row"])
def test_a_tensor_of_half_precision_keeps_its_type(value):
    import tensorflow as tf

    array = as_array(tf.constant(value, tf.bfloat16))
    assert array.dtype == ml_dtypes.bfloat16
    np.testing.assert_array_equal(array.astype(float), value)
