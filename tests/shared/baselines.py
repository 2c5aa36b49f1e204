"""Baselines made by hand, for tests that need no framework."""

import resource

import numpy as np
from runs import ENVIRONMENT

from initcheck.baselines.records.array_records import DrawsRecord, FansRecord
from initcheck.baselines.records.layer_records import LayerRecord
from initcheck.baselines.records.schema import Baseline, EnvironmentRecord, ProblemRecord
from initcheck.baselines.records.summary import array_record, law_record, noise_errors, order_record, stage_record
from initcheck.baselines.records.training_records import AccuraciesRecord, BandRecord, CurvesRecord, TraceRecord
from initcheck.catalog.initializers import INITIALIZERS

NAN = np.float32(np.nan)
ORDERS = ([1, 0, 3, 2], [3, 2, 0, 1])
STAGES = {
    "draws": (4, 1),
    "initial weights": (5,),
    "first loss": (1,),
    "first gradient": (5,),
    "first update": (5,),
    "epoch losses": (15, 2),
    "epoch accuracies": (15, 2),
    "final weights": (5,),
    "reloaded weights": (5,),
    "predictions": (30, 1),
}


def values(stage):
    """That stage's numbers, the same for final and reloaded weights."""
    seed = list(STAGES).index("final weights" if stage == "reloaded weights" else stage)
    return np.random.RandomState(seed).uniform(0.1, 1, STAGES[stage]).astype(np.float32)


def trace(order=tuple(STAGES), **arrays):
    """A training whose stages are those arrays, or else ``values``."""
    stages = {stage: stage_record([arrays.get(stage, values(stage))], 1e-7) for stage in order}
    return TraceRecord(seed=7, steps=75, stages=stages)


FITTED = ("initial weights", "epoch losses", "epoch accuracies", "final weights")


def curves(epochs=15, step=1.0):
    """Bands of that many epochs, the losses in units of ``step``."""
    line = [round(step * 0.9**epoch, 5) for epoch in range(epochs)]
    low, high = (tuple(round(share * value, 5) for value in line) for share in (0.9, 1.1))
    accuracy = {name: (share,) * epochs for name, share in (("low", 0.5), ("median", 0.9), ("high", 1.0))}
    band = BandRecord(low=low, median=tuple(line), high=high)
    return CurvesRecord(epochs=tuple(range(1, epochs + 1)), loss=band, accuracy=BandRecord(**accuracy))


def changed(record, stage, change):
    """The same baseline with another stage in its training."""
    new = record.model_copy(deep=True)
    new.problems["iris"].traces["he_normal"] = trace(**{stage: change(values(stage))})
    return new


def layer(**arrays):
    """A layer whose stages are those arrays, or else the same ones; ``noise`` has 600 independent draws."""
    default = {name: np.random.RandomState(seed).randn(40).astype(np.float32) for seed, name in enumerate(LAYER)}
    default["noise"] = np.random.RandomState(9).randn(600).astype(np.float32)
    made = {**default, **arrays}
    return LayerRecord(
        layer="GRU",
        initial_weights=(array_record(made["weights"], 4),),
        computed={name: stage_record([made[name]], 1e-7, 8) for name in LAYER[1:]},
        asked=made.get("asked", ()),
        noise=array_record(made["noise"], 8),
        independent=made.get("parts", 600),
        noise_errors=noise_errors(made["noise"], made["parts"]) if "parts" in made else None,
        configuration={"units": "3", **made.get("options", {})},
    )


LAYER = ("weights", "output", "gradient")


def with_layer(record, **arrays):
    """The same baseline with that layer."""
    return record.model_copy(update={"layers": {"GRU(units=3)": layer(**arrays)}})


def baseline(*, draw_seed=0, scale=1.0, pooled=40_000, nudge=False, orders=ORDERS):
    """A small baseline: one initializer, one layer, one feed, one problem."""
    law = INITIALIZERS["he_normal"].law
    stream = np.random.RandomState(draw_seed)
    shape = (pooled // 100, 100)
    drawn = {
        f"{size}, seed 1": law.at(size).distribution.rvs(size, random_state=stream).astype(np.float32)
        * np.float32(scale)
        for size in ((16,), (16, 8))
    }
    if nudge:
        drawn["(16,), seed 1"] = np.nextafter(drawn["(16,), seed 1"], np.float32(9))
    many = law.at(shape).distribution.rvs(shape, random_state=stream) * scale
    order = order_record([np.array(epoch) for epoch in orders], 4, 2)
    return Baseline(
        environment=EnvironmentRecord(**vars(ENVIRONMENT)),
        seed=1,
        draws={
            "he_normal": {
                "float32": DrawsRecord(
                    draws={name: array_record(draw, 8) for name, draw in drawn.items()}, law=law_record(law, [many])
                )
            }
        },
        defaults={"Dense": (array_record(np.arange(6, dtype=np.float32), 4),)},
        fans={"dense": FansRecord(fan_in=4.0, fan_out=150.0)},
        layers={"GRU(units=3)": layer()},
        orders={"feed": order},
        problems={
            "iris": ProblemRecord(
                held_out_rows=30,
                order=order,
                traces={"he_normal": trace()},
                given={"given weights": trace(tuple(STAGES)[1:])},
                fits={"he_normal": trace(FITTED)},
                accuracies={
                    "he_normal": AccuraciesRecord(
                        engine="ensemble",
                        correct=tuple(np.random.RandomState(0).randint(25, 31, 300).tolist()),
                        curves=curves(),
                    )
                },
            )
        },
    )


def cpu_seconds_of_children():
    """What the processes that have ended took of the processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
