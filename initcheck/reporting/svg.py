"""Figures as SVG for a page: small, responsive, the same bytes each time, harmless whatever their texts hold."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from xml.etree import ElementTree

from matplotlib import style
from matplotlib.figure import Figure

from initcheck.texts import for_html

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
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_PLACES = frozenset(("d", "x", "y", "width", "height", "points", "transform"))  # attributes that hold coordinates


def plot_style() -> AbstractContextManager[None]:
    """The look of every figure, for the time of a ``with`` block."""
    return style.context(["default", _RC])


def to_svg(figure: Figure, *, name: str, alt: str) -> str:
    """The figure as SVG to be put into a page, byte for byte the same each time.

    Args:
        figure: The drawing.
        name: A word of ASCII letters that no other figure on the page has; every element id starts with it.
        alt: A description of the figure, for those who cannot see it.
    """
    return _to_text(_draw(figure, name, alt))


def to_panels(frame: Figure, figures: Iterable[Figure], *, name: str, alts: Sequence[str]) -> list[str]:
    """Figures of one size as SVG, each above the same frame, which the page holds once.

    Args:
        frame: Their common part, such as the axes.
        figures: The drawings, without a background; each is drawn before the next is asked for.
        name: A word as for ``to_svg``.
        alts: A description of each.
    """
    shared = _draw(frame, f"{name}frame", "")
    frame_id = f"{name}-shared"
    group = ElementTree.Element("g", {"id": frame_id})
    group.extend(list(shared))
    drawn = []
    for number, (figure, alt) in enumerate(zip(figures, alts, strict=True)):
        root = _draw(figure, f"{name}{number}", alt)
        root.insert(0, ElementTree.Element("use", {"href": f"#{frame_id}"}) if number else group)
        drawn.append(_to_text(root))
    return drawn


def _draw(figure: Figure, name: str, alt: str) -> ElementTree.Element:
    buffer = io.StringIO()
    with plot_style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # the browser finds a font that has it
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    # XML forbids control characters even where they are escaped.
    root = ElementTree.fromstring(str(for_html(buffer.getvalue())))
    for element in root.iter():
        element.tag = _local(element.tag)  # inside HTML no tag has a namespace
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
        "aria-label": str(for_html(alt)),
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    _shrink(root)
    return root


def _shrink(root: ElementTree.Element) -> None:
    """Cuts invisible text: digits beyond a hundredth of a point, blanks, styles that siblings repeat, unused ids."""
    used = {text for element in root.iter() for text in re.findall(r"#([\w-]+)", " ".join(element.attrib.values()))}
    for element in root.iter():
        if element.tag != "text" and element.tag != "tspan":
            element.text = None
        element.tail = None
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        for key in _PLACES & element.attrib.keys():
            text = element.attrib[key]
            if "scale" not in text and "matrix" not in text:
                element.attrib[key] = " ".join(_NUMBER.sub(lambda match: f"{float(match[0]):.2f}", text).split())
        _hoist_style(element)


def _hoist_style(parent: ElementTree.Element) -> None:
    marks = [child for child in parent if child.tag == "use"]
    styles = {child.get("style") for child in marks}
    if len(marks) == len(parent) > 1 and len(styles) == 1 and "style" not in parent.attrib and None not in styles:
        parent.set("style", str(styles.pop()))
        for child in marks:
            del child.attrib["style"]


def _to_text(root: ElementTree.Element) -> str:
    return ElementTree.tostring(root, encoding="unicode")


def _local(name: str) -> str:
    return name.rpartition("}")[2]
