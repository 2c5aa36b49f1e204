"""Figures as SVG for a page: small, responsive, the same bytes each time."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import AbstractContextManager
from xml.etree import ElementTree

from matplotlib import style
from matplotlib.figure import Figure

_RC = {
    "axes.edgecolor": "#999999",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "font.size": 9,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "svg.fonttype": "none",  # text stays text: small files, and the page's own font
    "svg.hashsalt": "initcheck",
}


def plot_style() -> AbstractContextManager[None]:
    """The look of every figure, for the time of a ``with`` block."""
    return style.context(["default", _RC])


def to_svg(figure: Figure, *, name: str, alt: str) -> str:
    """The figure as SVG to be put into a page, byte for byte the same each time.

    Args:
        figure: What is drawn.
        name: A word of ASCII letters that no other figure on the page bears; every element id starts with it.
        alt: What the figure shows, for those who cannot see it.
    """
    buffer = io.StringIO()
    with plot_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # the browser finds a font that has it
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for element in root.iter():
        element.tag = _local(element.tag)  # inside HTML no tag bears a namespace
        attributes = {_local(key): re.sub(r"url\(#", f"url(#{name}-", text) for key, text in element.attrib.items()}
        if "id" in attributes:
            attributes["id"] = f"{name}-{attributes['id']}"
        if "href" in attributes:
            attributes["href"] = attributes["href"].replace("#", f"#{name}-", 1)
        element.attrib.clear()
        element.attrib.update(attributes)
    for child in list(root):
        if child.tag == "metadata" or child.find("style") is not None:
            root.remove(child)  # the style sheet would hold for the whole page; its two rules go to the root instead
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.attrib |= {
        "xmlns": "http://www.w3.org/2000/svg",
        "width": "100%",
        "role": "img",
        "aria-label": alt,
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]
