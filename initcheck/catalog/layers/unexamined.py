"""Layers that no check looks at, each with the reason."""

from __future__ import annotations

from initcheck.catalog.layers.kind import LayerKind, Without

# Reason → names, separated by blanks.
_REASONS = {
    "the base class of wrappers": "Wrapper",
}

ROWS = tuple(LayerKind(name, Without(reason)) for reason, names in _REASONS.items() for name in names.split())
