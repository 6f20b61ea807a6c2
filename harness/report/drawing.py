"""In: a Vega-Lite specification. Out: a small SVG that lives in a page: colours by CSS variables, text as text, the reader's own font.

vl-convert renders without a browser or network. The specifications are plain Vega-Lite, the grammar that Altair writes too: without that
import a page is drawn about a second sooner. Text is measured with a font that vl-convert carries, so the same specification gives the same
bytes on any machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup, escape

Spec = dict[str, Any]

FONT = "Liberation Sans"
WIDE, NARROW = 880, 330
"""Widths in CSS px of a figure for screens and paper, and for a phone held upright."""

SCHEMA, VERSION = "https://vega.github.io/schema/vega-lite/v6.json", "6.4"


def config(narrow: bool) -> Spec:
    """The look that every chart shares."""
    size = 12 if narrow else 13
    return {
        "font": FONT,
        "aria": False,
        "background": None,
        "padding": {"left": 12, "right": 14, "top": 4, "bottom": 2},
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "ticks": False,
            "gridColor": "var(--grid)",
            "labelColor": "var(--muted)",
            "titleColor": "var(--muted)",
            "labelFontSize": size,
            "titleFontSize": size,
            "titleFontWeight": "normal",
            "labelPadding": 6,
            "labelOverlap": "greedy",
        },
        "axisX": {
            "grid": False,
            "domain": True,
            "domainColor": "var(--line)",
            "ticks": True,
            "tickColor": "var(--line)",
            "tickSize": 4,
            "titlePadding": 8,
        },
        "axisY": {
            "tickCount": 4,
            "titleAngle": 0,
            "titleAlign": "left",
            "titleBaseline": "bottom",
            "titleAnchor": "end",
            "titleX": 0,
            "titleY": -8,
        },
        "legend": {"disable": True},
        "text": {"fontSize": size, "color": "var(--ink)"},
        "line": {"strokeWidth": 2.25, "strokeJoin": "round"},
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """The numbers behind a figure, as a reader would copy them. `note` says what was left out."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    places: tuple[float, ...] = ()  # where each row stands on the x axis of its figure


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One entry of a figure's legend. It stands in the page, not in the drawing: so it wraps, and is set in the reader's own font."""

    name: str
    shape: Literal["line", "dash", "dots", "band", "area", "circle", "cross", "diamond", "dot"]
    colour: str  # the name of a CSS variable


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A chart in its page: `caption` states its message, `description` is its text alternative, `table` its numbers."""

    key: str
    title: str
    caption: str
    description: str
    wide: Markup
    narrow: Markup
    table: Table
    keys: tuple[Key, ...] = ()
    reach: tuple[float, float] | None = None  # the ends of the x axis, in the unit of the table's places
    marks: tuple[str, ...] = ()  # the names of the numbered marks, in order
    aside: str = ""  # what a reader needs to read the figure, below its message


PLAN: Spec = {"type": "line", "color": "var(--plan)", "strokeDash": [6, 4], "strokeWidth": 2.5}
"""The mark of everything planned: dashed, so it needs no colour."""
LOAD: Spec = {"type": "line", "color": "var(--p95)", "strokeWidth": 1.5}
"""The mark of a load that is not visitors alone: thin and solid."""


def both_sizes(
    make: Callable[[bool], Spec],
    *,
    key: str,
    title: str,
    caption: str,
    description: str,
    table: Table,
    keys: tuple[Key, ...] = (),
    reach: tuple[float, float] | None = None,
    marks: tuple[str, ...] = (),
    aside: str = "",
) -> Figure:
    """Draw a figure for screens and for phones from one maker of specifications, which is told whether it is for a phone."""
    text = " ".join(part for part in (caption, aside, description) if part)
    wide, narrow = (draw(make(small), key=key, narrow=small, title=title, description=text) for small in (False, True))
    return Figure(
        key=key,
        title=title,
        caption=caption,
        description=text,
        wide=wide,
        narrow=narrow,
        table=table,
        keys=keys,
        reach=reach,
        marks=marks,
        aside=aside,
    )


def draw(spec: Spec, *, key: str, narrow: bool, title: str, description: str) -> Markup:
    """Render one size of a figure. The result names itself for readers who do not see it."""
    import vl_convert  # here, not above: it starts a script engine, which `surge validate` and the tests of words must not pay for

    whole = {"$schema": SCHEMA, "config": config(narrow), **spec}
    drawn: str = vl_convert.vegalite_to_svg(whole, vl_version=VERSION)
    name = f"{key}-{'narrow' if narrow else 'wide'}"
    return Markup(tidy(drawn, name=name, title=title, description=description, css="narrow" if narrow else "wide"))


_DROPPED = re.compile(r' (?:role|aria-[a-z]+|class|pointer-events|font-family|xmlns(?::xlink)?|version|stroke-miterlimit)="[^"]*"')
_INVISIBLE = re.compile(r'<path(?: [a-z-]+="[^"]*")* display="none"/>')
_GEOMETRY = re.compile(r' (d|transform|x|y|x1|x2|y1|y2|width|height|r|cx|cy)="([^"]*)"')
_FRACTION = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")
_EMPTY = re.compile(r"<g(?: [a-z-]+=\"[^\"]*\")*>\s*</g>")
_IDENTIFIER = re.compile(r'(id="|url\(#)([A-Za-z]+_?\d+)')
_MARK = re.compile(r"<path( [^<>]*)/>")
_MARKS = re.compile(r"<g>(?:<path(?: [a-z-]+=\"[^\"<>]*\")*/>){4,}</g>")
_ATTRIBUTE = re.compile(r" ([a-z-]+)=\"([^\"]*)\"")
_OPEN = re.compile(r"<svg[^>]*?width=\"([\d.]+)\"[^>]*?height=\"([\d.]+)\"[^>]*>")


def tidy(svg: str, *, name: str, title: str, description: str, css: str) -> str:
    """The same drawing in fewer bytes: tenths of a px, no roles of its own, ids that are unique in the page and the same every time."""
    text = _DROPPED.sub("", svg)
    text = _INVISIBLE.sub("", text).replace(' opacity="1"', "").replace(' stroke-width="1"', "").replace(' transform="translate(0,0)"', "")
    text = _GEOMETRY.sub(lambda found: f' {found[1]}="{_FRACTION.sub(_tenths, found[2])}"', text)
    while (shorter := _EMPTY.sub("", text)) != text:
        text = shorter
    text = _MARKS.sub(_hoisted, text)
    known: dict[str, str] = {}

    def own(found: re.Match[str]) -> str:
        return found[1] + known.setdefault(found[2], f"{name}-{len(known)}")

    text = _IDENTIFIER.sub(own, text)
    opening = _OPEN.match(text)
    if opening is None:
        raise ValueError("the chart library answered with something that is no SVG")
    width, height = float(opening[1]), float(opening[2])
    head = (
        f'<svg class="{css}" viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="{name}-title {name}-text">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-text">{escape(description)}</desc>'
    )
    return head + text[opening.end() :]


def _hoisted(found: re.Match[str]) -> str:
    """What all marks of a group have in common is said once, on the group: a cloud of dots takes a third of the bytes."""
    marks = [dict(_ATTRIBUTE.findall(mark)) for mark in _MARK.findall(found[0])]
    first = marks[0]
    common = {name: value for name, value in first.items() if name != "transform" and all(mark.get(name) == value for mark in marks)}
    common.pop("d", None)  # no attribute of a group: it stays with every mark
    own = [{name: value for name, value in mark.items() if name not in common} for mark in marks]
    return f"<g{_attributes(common)}>{''.join(f'<path{_attributes(mark)}/>' for mark in own)}</g>"


def _attributes(told: dict[str, str]) -> str:
    return "".join(f' {name}="{value}"' for name, value in told.items())


def _tenths(found: re.Match[str]) -> str:
    value = f"{float(found[0]):.1f}"
    return "0" if value in ("0.0", "-0.0") else value.removesuffix(".0")


def values(rows: Sequence[Mapping[str, object]]) -> Spec:
    """Inline data of a specification."""
    return {"values": [dict(row) for row in rows]}
