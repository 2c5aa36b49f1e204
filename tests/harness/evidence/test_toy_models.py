import numpy as np

from initcheck.evidence.toy_models import make_model
from initcheck.frameworks.keras import load_keras


def test_weights_come_in_the_order_of_the_layers_in_every_style():
    keras = load_keras()
    shapes = {}
    for style in ("sequential", "functional", "subclassed"):
        layers = [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.Dense(2)]
        model = make_model(keras, layers, (3,), style)
        shapes[style] = [np.shape(value) for value in model.get_weights()]
    expected = [(3, 4), (4,), *[(4,)] * 4, (4, 2), (2,)]  # the statistics, which are not trained, in their place
    assert shapes == {"sequential": expected, "functional": expected, "subclassed": expected}
