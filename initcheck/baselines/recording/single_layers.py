"""Gathers the evidence of the layers, each alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from initcheck.baselines.records.layer_records import AskedRecord, LayerRecord, LayerStage
from initcheck.baselines.records.summary import array_record, noise_errors, stage_record
from initcheck.catalog.cases.recorded_layers import PARTS, RECORDED, RecordedLayer
from initcheck.evidence.baseline.layer_stages import Computed, LayerRecorder
from initcheck.frameworks.backends import forget_sources

_WEIGHT_VALUES, _COMPUTED_VALUES = 4, 8
_LONGEST = 150  # characters of an option's value


def record_layers(seed: int, cases: Mapping[str, RecordedLayer] = RECORDED) -> dict[str, LayerRecord]:
    """Each layer that the installed framework has, with all its arguments."""
    recorder = LayerRecorder(seed)
    return {name: _record(recorder, case) for name, case in cases.items() if not recorder.lacks(case)}


def _record(recorder: LayerRecorder, case: RecordedLayer) -> LayerRecord:
    try:
        seen = recorder.observe(case)
    except Exception as error:  # noqa: BLE001 - what the framework refuses is evidence
        return LayerRecord(layer=case.layer, refused=type(error).__name__)
    finally:
        forget_sources()
    computed: dict[LayerStage, Computed | None] = {
        LayerStage.OUTPUT: seen.output,
        LayerStage.GRADIENT: seen.gradient,
        LayerStage.TRAINING: seen.training,
        LayerStage.MOVED: seen.moved,
    }
    return LayerRecord(
        layer=case.layer,
        initial_weights=tuple(array_record(one, _WEIGHT_VALUES) for one in seen.initial_weights),
        asked=tuple(
            AskedRecord(initializer=one.initializer, options=_short(one.options), shape=one.shape) for one in seen.asked
        ),
        computed={
            stage: stage_record(one.arrays, one.deviation, _COMPUTED_VALUES)
            for stage, one in computed.items()
            if one is not None and one.arrays
        },
        noise=None if seen.noise is None else array_record(np.asarray(seen.noise), _COMPUTED_VALUES),
        independent=seen.independent,
        noise_errors=None if seen.noise is None or case.elements_independent else noise_errors(seen.noise, PARTS),
        configuration={key: _short(value) for key, value in seen.configuration.items()},
    )


def _short(value: str) -> str:
    if len(value) <= _LONGEST:
        return value
    return f"{value[:_LONGEST]}… {hashlib.blake2b(value.encode(), digest_size=6).hexdigest()}"
