"""The templates of every page."""

from __future__ import annotations

import functools

import jinja2

from initcheck.texts import for_html


@jinja2.pass_eval_context
def _harmless(context: jinja2.nodes.EvalContext, value: object) -> object:
    return for_html(value) if context.autoescape else value  # Markdown's texts are made harmless one by one


@functools.cache
def templates() -> jinja2.Environment:
    """Strict; what goes into HTML is escaped, and holds no control characters."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("initcheck.reporting"),
        autoescape=lambda name: name is None or name.endswith(".html.j2"),
        finalize=_harmless,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
