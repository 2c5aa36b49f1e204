"""The templates of every page."""

from __future__ import annotations

import functools

import jinja2


@functools.cache
def templates() -> jinja2.Environment:
    """Strict, and escaping what goes into HTML."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("initcheck.reporting"),
        autoescape=lambda name: name is None or name.endswith(".html.j2"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
