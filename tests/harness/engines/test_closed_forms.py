import pytest

from initcheck.engines.closed_forms import is_binary_form_of, sum_binary_judgements
from initcheck.frameworks.keras import load_keras


def test_the_closed_form_is_keras_s_of_a_sigmoid_alone():
    keras = load_keras()
    assert is_binary_form_of(keras, keras.activations.sigmoid)
    assert not is_binary_form_of(keras, keras.activations.hard_sigmoid)


@pytest.mark.parametrize("name", ["binary_crossentropy", "binary_accuracy"])
def test_a_keras_that_judges_otherwise_is_not_replaced_by_it(name, monkeypatch):
    keras = load_keras()
    home = keras.losses if name == "binary_crossentropy" else keras.metrics
    original = getattr(home, name)
    monkeypatch.setattr(home, name, lambda expected, outputs: original(expected, outputs) * (1 + 1e-5))
    assert not is_binary_form_of(keras, keras.activations.sigmoid)


@pytest.mark.parametrize("rows", [1, 64, 65, 1000])
def test_rows_that_are_not_filled_do_not_count(rows):
    import tensorflow as tf

    logits = tf.constant([[3.0, -2.0]] * rows)
    targets = tf.ones((rows, 1))
    filled = tf.cast(tf.range(rows) % 2 == 0, tf.float32)[:, None]
    count = -(-rows // 2)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss, correct = sum_binary_judgements(logits, targets, filled)
    expected = tf.nn.sigmoid_cross_entropy_with_logits(targets[:1] * [[1.0, 1.0]], logits[:1])[0]
    assert loss.numpy() == pytest.approx(count * expected.numpy(), rel=1e-5)
    assert correct.numpy().tolist() == [count, 0]
    slopes = tape.gradient(loss, logits).numpy()
    assert slopes[0] == pytest.approx(tf.sigmoid(logits[0]).numpy() - 1, rel=1e-5)
    assert rows == 1 or not slopes[1].any()
