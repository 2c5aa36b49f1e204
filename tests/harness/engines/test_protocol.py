"""Model and optimizer in words, which the page, sweep.json and compare-runs show."""

from dataclasses import replace

import initcheck
from initcheck.comparing_runs.side_by_side import compare_runs
from initcheck.engines.protocol import describe_protocol
from initcheck.frameworks.keras import load_keras

IRIS = initcheck.PROBLEMS["iris"]


def described(problem=IRIS):
    return dict(describe_protocol(load_keras(), problem))


def test_layers_and_settings_are_named():
    protocol = described()
    assert protocol["model"] == "Dense(1, sigmoid)"
    assert protocol["optimizer"].startswith("RMSprop(learning_rate=")
    assert "None" not in protocol["optimizer"]
    assert "name=" not in protocol["optimizer"]


def test_a_schedule_is_named_with_its_settings():
    def optimizer(keras):
        return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))

    shown = described(replace(IRIS, optimizer=optimizer))["optimizer"]
    assert "learning_rate=ExponentialDecay(initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5)" in shown


def test_a_change_of_the_learning_rate_is_listed_beside_the_runs(tmp_path):
    """It was recorded nowhere: two sweeps differed in nothing but their runs."""

    def slower(keras):
        return keras.optimizers.RMSprop(0.0005)

    sweeps = [
        initcheck.sweep(problem, initializers=["he_normal"], reseeds=2, epochs=2, seed=1)
        for problem in (IRIS, replace(IRIS, optimizer=slower))
    ]
    for number, one in enumerate(sweeps):
        one.save(tmp_path / str(number))
    loaded = [initcheck.load(tmp_path / str(number)) for number in range(2)]
    for a, b in (sweeps, loaded):
        (difference,) = compare_runs(a, b).differences
        assert difference.what == "optimizer"
        assert "learning_rate=0.0005" in difference.new
    page = (tmp_path / "1" / "report.html").read_text()
    assert "learning_rate=0.0005" in page
