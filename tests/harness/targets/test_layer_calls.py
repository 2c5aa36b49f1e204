"""Calls of layers through the port, on whichever backend of Keras is the target."""

from typing import Any

import numpy as np
import pytest

from initcheck.engines.reuse import read_values
from initcheck.evidence.lab import get_lab
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.backend_calls import as_tensor, compiled, is_traced, traces
from initcheck.frameworks.backends import forget_sources, has_doubles, load_target_keras
from initcheck.frameworks.differentiation import gradients
from initcheck.frameworks.layer_calls import build_by_call, call_with_losses, shaped_outputs
from initcheck.frameworks.operations import operations
from initcheck.frameworks.quiet import quiet
from initcheck.targets import backend_of, target

pytestmark = pytest.mark.skipif(not backend_of(target()), reason="needs Keras as the target")
ROWS = np.array([[1.0, -2.0], [3.0, 5.0]], np.float32)


def read(layer):
    """The values of a layer's weights."""
    with quiet():  # Keras reads variables of torch by NumPy's old protocol
        return read_values(layer.weights)


def test_a_layer_is_built_and_keeps_its_state():
    layer = load_target_keras().layers.BatchNormalization()
    build_by_call(lambda x: layer(x), [as_tensor(ROWS)])
    assert [one.tolist() for one in read(layer)] == [[1, 1], [0, 0], [0, 0], [1, 1]]


def test_a_call_gives_the_losses_of_outputs_and_weights_and_moves_the_state():
    keras = load_target_keras()
    layer = keras.layers.BatchNormalization(momentum=0.5, gamma_regularizer=keras.regularizers.L1(0.25))
    layer.activity_regularizer = keras.regularizers.L1(0.0)
    build_by_call(lambda x: layer(x), [as_tensor(ROWS)])
    output, losses = call_with_losses(layer, lambda x: layer(x, training=True), [as_tensor(ROWS)])
    assert np.allclose(as_array(output), [[-1, -1], [1, 1]], atol=1e-3)
    assert sorted(map(float, losses)) == [0.0, 0.5]
    assert np.allclose(read(layer)[2], [1.0, 0.75])


def test_slopes_are_those_of_weights_and_inputs():
    layer = load_target_keras().layers.Dense(1, use_bias=False)
    build_by_call(lambda x: layer(x), [as_tensor(ROWS)])
    layer.set_weights([np.array([[2.0], [3.0]], np.float32)])
    math = operations(load_target_keras())
    found = gradients(layer, [as_tensor(ROWS)], lambda x: (math.sum(layer(x)), None))
    (by_kernel,), (by_rows,) = found.by_weights, found.by_tensors
    assert by_kernel.ravel().tolist() == [4.0, 3.0]
    assert by_rows.tolist() == [[2.0, 3.0]] * 2


def test_the_shapes_of_a_call_are_those_of_its_outputs_and_compile_nothing_on_jax():
    keras: Any = load_target_keras()
    seen = []

    class Splitting(keras.layers.Layer):
        def call(self, x):
            seen.append(is_traced(x))
            return x[:, :1], [x]

    layer = Splitting()
    one, (other,) = shaped_outputs(layer, lambda: layer(as_tensor(ROWS)))
    assert (tuple(one.shape), tuple(other.shape)) == ((2, 1), (2, 2))
    assert seen[-1:] == [backend_of(target()) == "jax"]


def test_a_tensor_is_traced_within_a_compiled_function_alone():
    seen = []

    def see(x):
        seen.append(is_traced(x))
        return x

    compiled(see)(as_tensor(ROWS))
    assert seen == [traces()]
    assert not is_traced(as_tensor(ROWS))


def test_types_of_64_bits_are_judged_where_the_backend_has_them():
    computed = get_lab(1).computed(("int32", "int64", "float32"))
    assert computed == ["int32", *(["int64"] if has_doubles(target()) else []), "float32"]


@pytest.mark.skipif(backend_of(target()) != "jax", reason="JAX alone keeps sources")
def test_sources_of_programs_are_forgotten_and_the_programs_are_kept():
    import jax
    from jax._src import pjit
    from jax._src.interpreters import pxla

    kept = pjit._pjit_lower, pxla._cached_lowering_to_hlo
    traced = []

    @jax.jit
    def program(x):
        traced.append(x)
        return x + 1

    program(as_tensor(ROWS))
    assert all(one.cache_info().currsize for one in kept)
    forget_sources()
    assert [one.cache_info().currsize for one in kept] == [0, 0]
    assert program(as_tensor(ROWS)).tolist() == (ROWS + 1).tolist()
    assert len(traced) == 1
    assert [one.cache_info().currsize for one in kept] == [0, 0]
