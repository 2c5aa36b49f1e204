"""Models in ``.keras`` files, as this backend writes them and as a fresh process reads them on another."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from initcheck.engines.perturbed import perturbed
from initcheck.evidence.fresh_process.client import ask
from initcheck.evidence.fresh_process.questions import Answers, Question, model_question, stages_of
from initcheck.evidence.serialization.models import BUILDERS, inputs_for
from initcheck.evidence.session import Session
from initcheck.frameworks.arrays import as_array
from initcheck.frameworks.quiet import quiet

# A sum of n terms, in any order, has the error of terms that are off by n units of rounding (Higham 2002, chapter 4);
# one unit of each weight and input is tried, and the sums of these models have some twenty terms.
_TERMS = 64


@dataclass(frozen=True, eq=False)
class ForeignFile:
    """A model in a file, on the backend that wrote it and on another one.

    Attributes:
        written: Digests by stage, and the outputs as JSON, where it was written.
        read: The same where it was read; or what was ``raised`` there.
        allowed: The largest difference of an output that rounding explains.
    """

    written: Answers
    read: Answers
    allowed: float

    @property
    def outputs(self) -> tuple[np.ndarray, np.ndarray]:
        """Where it was written, and where it was read."""
        one, other = (np.array(json.loads(answers["outputs"])) for answers in (self.written, self.read))
        return one, other


@dataclass(frozen=True, eq=False)
class _Written:
    questions: dict[str, Question]
    answers: dict[str, Answers]
    allowed: dict[str, float]


class OtherBackends:
    """Compiled models, trained by no step: every weight and every variable of the optimizer has numbers of its own.

    Args:
        session: The session, with its streams and cache.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keras = session.keras

    def read(self, kind: str, backend: str, together: tuple[str, ...]) -> ForeignFile:
        """That model as that backend reads it.

        Args:
            kind: A name of ``BUILDERS``.
            backend: Another one than this process's, which must be installed.
            together: All kinds that are asked for, so that one process reads them.

        Raises:
            InitcheckError: The fresh process ended without answers.
        """
        written, read = self._session.once(("files on", backend), lambda: self._asked(backend, together))
        return ForeignFile(written.answers[kind], read[written.questions[kind].name], written.allowed[kind])

    def _asked(self, backend: str, kinds: tuple[str, ...]) -> tuple[_Written, dict[str, Answers]]:
        with tempfile.TemporaryDirectory() as folder, quiet():
            written = self._written(Path(folder), kinds)
            return written, ask(list(written.questions.values()), on=f"keras:{backend}")

    def _written(self, folder: Path, kinds: tuple[str, ...]) -> _Written:
        written = _Written({}, {}, {})
        for kind in kinds:
            seed = self._session.stream("files on other backends", kind)
            model = self._model(kind, seed)
            inputs = inputs_for(model, seed)
            model.save(str(folder / f"{kind}.keras"))
            written.questions[kind] = model_question(folder / f"{kind}.keras", inputs)
            written.answers[kind] = stages_of(model, inputs)
            written.allowed[kind] = _allowed(model, inputs)
        return written

    def _model(self, kind: str, seed: int) -> Any:
        stream = np.random.RandomState(seed % 2**32)
        model = BUILDERS[kind](self._keras, lambda name: "zeros")
        model.compile(optimizer=self._keras.optimizers.Adam(), loss="mean_squared_error")
        model.optimizer.build(model.trainable_variables)
        for variable in (*model.weights, *model.optimizer.variables):
            shape, dtype = tuple(variable.shape), as_array(variable).dtype
            low = -0.6 if len(shape) > 1 else 0.1  # positive, as variances must be; kernels that saturate show nothing
            drawn = stream.uniform(low, 0.6, shape) if dtype.kind == "f" else stream.randint(1, 9, shape)
            variable.assign(np.asarray(drawn, dtype))
        return model


def _allowed(model: Any, inputs: np.ndarray) -> float:
    """What a last bit of every weight and input does to an output, times the terms of a sum; leaves other weights."""
    before = as_array(model(inputs, training=False))
    model.set_weights([perturbed(one, 1, 0) for one in model.get_weights()])
    after = as_array(model(perturbed(inputs, 1, 0) if inputs.dtype.kind == "f" else inputs, training=False))
    return _TERMS * float(max(np.abs(after - before).max(), np.spacing(np.abs(before).max())))
