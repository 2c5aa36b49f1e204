"""Ensembles of models of one's own on Keras with JAX and torch, compared with ``fit``: every kind of model."""

import pytest
from other_backends import on_other_backends

from initcheck.engines.initial_weights import UnsuitableError
from initcheck.engines.mapped_members import MappedEnsemble
from initcheck.engines.stateless_agreement import judge_members
from initcheck.frameworks.backends import load_target_keras
from initcheck.targets import target

pytestmark = [*on_other_backends, pytest.mark.slow]

DRAWS = "draws noise"
# Kinds that are refused, and why: on JAX what fit, too, cannot train.
REFUSED = {
    "keras:jax": {"loop of one's own": "cannot be traced over states"},
    "keras:torch": {"a slot that begins as the weight": "reads variables while it writes"}
    | dict.fromkeys(
        ("normalized", "noise", "spatial dropout", "masked LSTM", "convolution", "transformer", "nested model"), DRAWS
    ),
}


def kinds():
    """Those of TensorFlow's ensemble, and optimizers whose steps depend on their number, which that one refuses."""
    from ensemble_cases import (
        CLASS,
        IMAGES,
        KINDS,
        NORMALIZED,
        SEQUENCES,
        SIDE,
        case,
        four_classes,
        layer,
        one_side,
        optimized,
        sequential,
    )

    convolutions = sequential(
        IMAGES,
        layer("Conv2D", 4, 3, padding="same", activation="relu"),
        layer("BatchNormalization"),
        layer("MaxPooling2D"),
        layer("DepthwiseConv2D", 2),
        layer("Flatten"),
        four_classes,
        loss="sparse_categorical_crossentropy",
    )
    recurrent = sequential(SEQUENCES, layer("Masking"), layer("LSTM", 4), one_side)
    more = {"normalized": NORMALIZED, "convolution without noise": case(convolutions, IMAGES, CLASS)}
    more["LSTM"] = case(recurrent, SEQUENCES, SIDE)
    if hasattr(load_target_keras().optimizers, "ScheduleFreeAdamW"):  # since Keras 3.14
        more["a slot that begins as the weight"] = optimized("ScheduleFreeAdamW", 0.01)
    if target() == "keras:jax":
        more["accumulation"] = optimized("Adam", 0.05, gradient_accumulation_steps=2)
        more["overwritten average"] = optimized("Adam", 0.05, use_ema=True, ema_overwrite_frequency=2)
    return {**KINDS, **more}


def engine_of(one):
    from ensemble_cases import BATCH, EPOCHS, ORDERS

    keras = load_target_keras()
    keras.utils.set_random_seed(99)
    model = one.build(keras)
    return MappedEnsemble(keras, model, one.train, one.held_out, batch_size=BATCH, epochs=EPOCHS, orders=ORDERS)


def test_every_kind_agrees_with_fit_or_is_refused_by_name():
    from ensemble_cases import fitted

    refused = REFUSED[target()]
    for name, one in kinds().items():
        if name in refused:
            with pytest.raises(UnsuitableError, match=refused[name]):
                engine_of(one)
            continue
        trained = [fitted(one, seed) for seed in (1, 2)]
        members, histories = [initial for initial, _, _ in trained], [history for _, history, _ in trained]
        verdict = judge_members(engine_of(one), members, histories)
        assert verdict.agrees, (name, verdict)
