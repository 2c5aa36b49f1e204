"""Public names that no check looks at beyond their configuration, with the reason; layers have it in their rows."""

from __future__ import annotations

from collections.abc import Mapping

# Kind of names → reason → names, separated by blanks.
_REASONS: Mapping[str, Mapping[str, str]] = {
    "callbacks": {
        "it reports, and changes neither training nor what is kept; it needs TensorBoard": "TensorBoard",
        "it needs orbax-checkpoint, which Keras does not install": "OrbaxCheckpoint",
    },
}
REASONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    kind: {reason: tuple(names.split()) for reason, names in reasons.items()} for kind, reasons in _REASONS.items()
}
