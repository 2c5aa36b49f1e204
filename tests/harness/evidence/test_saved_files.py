from initcheck.evidence.baseline.saved_files import FILES, save_models
from initcheck.frameworks.keras import load_keras


def test_files_are_the_same_at_every_call_whatever_was_made_before():
    keras = load_keras()
    files = save_models()
    assert set(files) == set(FILES)
    for made in (keras.optimizers.Adam, keras.optimizers.SGD, keras.optimizers.RMSprop):
        made()
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    assert save_models() == files
