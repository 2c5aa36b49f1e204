"""The templates of every page, HTML or Markdown: whatever is put into one is made harmless on the way.

What a template's own author has made, and no text from elsewhere, is handed over as ``Markup``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jinja2
from markupsafe import Markup

from initcheck.texts import for_html, for_markdown


def _as_markdown(value: object) -> object:
    if isinstance(value, Markup | jinja2.Undefined):
        return value
    return Markup(for_markdown(str(value)))  # escaped: nothing is left for HTML's escaping to change


@functools.cache
def templates() -> jinja2.Environment:
    """The environment of pages: strict; values in HTML are escaped, without control characters."""
    return _environment(for_html)


@functools.cache
def markdown_templates() -> jinja2.Environment:
    """The environment of Markdown: strict; values are shown as they are, on one line."""
    return _environment(_as_markdown)


def _environment(finalize: Callable[[object], object]) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("initcheck.reporting"),
        autoescape=True,
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
