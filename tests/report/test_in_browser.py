"""The page in a real browser: offline, without scripts, on a phone, in the dark, on paper, by keyboard, and legible everywhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from headless import Page, browser, executable
from report_factory import STORIES, story

from harness.report import index
from harness.report.page import render

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium here: install Debian's chromium, or name one in SURGE_CHROMIUM")

OVERFLOWING = """
[...document.querySelectorAll('body *')].filter(node => {
  const box = node.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !node.closest('.scroll, pre, .skip');
}).map(node => node.tagName + '.' + node.className).slice(0, 5)
"""

OPEN_ALL = "document.querySelectorAll('details').forEach(part => part.open = true)"

CONTROLS = "[...document.querySelectorAll('a[href], summary, button, [tabindex=\"0\"]')].filter(node => node.checkVisibility())"

SHOWN = "[...document.querySelectorAll('figure > svg')].filter(drawing => drawing.getClientRects().length)"

FAINT = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = css => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, k) => sum + c * [.2126, .7152, .0722][k], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.getClientRects().length || node.closest('title, desc, .skip')) continue;
    const style = getComputedStyle(node), drawn = node.namespaceURI.endsWith('svg');
    const [a, b] = [light(rgba(drawn ? style.fill : style.color)), light(behind(node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) found.push(walk.currentNode.data.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    program = executable()
    assert program is not None
    with browser(program) as running:
        yield running.page()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of every story, and an index over three runs and a folder that was cut off."""
    folder = tmp_path_factory.mktemp("pages")
    for name in STORIES:
        told = story(name)
        (folder / f"{name}.html").write_text(render(told.result, told.series, "name: as it was run\n"), encoding="utf-8")
    entries = [
        index.Entry(folder=f"run {place}", result=story(name).result, broken="", has_page=True)
        for place, name in enumerate(("ready", "disturbed", "ready"))
    ]
    cut_off = index.Entry(folder="cut-off", result=None, broken="no result", has_page=False)
    (folder / "index.html").write_text(index.render([*entries, cut_off]), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", STORIES)
def test_nothing_but_the_file_itself_is_asked_for(name: str, tab: Page, pages: Path) -> None:
    """The report works on a plane, and tells nobody that it was opened. The browser has nothing to complain about either."""
    path = pages / f"{name}.html"
    tab.open(path)
    assert [address for address in tab.requests if not address.startswith("data:")] == [path.as_uri()]
    assert tab.problems == []


def test_without_scripts_the_page_says_the_same(tab: Page, pages: Path) -> None:
    """Every word is in the page itself."""
    path = pages / "not-ready-email.html"
    tab.open(path)
    with_scripts = tab.text()
    tab.open(path, scripts=False)
    hint = "Point at the chart, or use the arrow keys in it, to read its values."
    assert tab.text().split() == with_scripts.replace(hint, "").split()
    assert "expect long waits from 10:03 to 10:11" in with_scripts


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
@pytest.mark.parametrize("name", ["ready", "not-ready-email", "generator", "nothing-measured"])
def test_nothing_sticks_out_sideways(name: str, width: int, tab: Page, pages: Path) -> None:
    """From a small phone to a desk: the page never scrolls sideways, folded parts opened too; wide tables scroll inside their own box."""
    tab.open(pages / f"{name}.html", width=width)
    tab.evaluate(OPEN_ALL)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", STORIES)
def test_every_text_stands_out_from_what_is_behind_it(name: str, dark: bool, tab: Page, pages: Path) -> None:
    """At least 4.5 to 1 (WCAG 2.2 AA), in charts as well, by day and by night."""
    tab.open(pages / f"{name}.html", dark=dark)
    tab.evaluate(OPEN_ALL)
    assert tab.evaluate(FAINT) == []


def test_the_smallest_chart_text_can_be_read_on_a_phone(tab: Page, pages: Path) -> None:
    """A chart is drawn again for phones, not shrunk: its text stays at least 9 px."""
    tab.open(pages / "not-ready-email.html", width=360)
    smallest = tab.evaluate(
        "Math.min(...[...document.querySelectorAll('figure svg text')].map(t => t.getBoundingClientRect())"
        ".filter(b => b.width).map(b => Math.min(b.height, b.width > b.height ? b.height : b.width + b.height)))"
    )
    assert smallest >= 9
    shown = tab.evaluate(f"{SHOWN}.map(drawing => drawing.getAttribute('class'))")
    assert shown
    assert set(shown) == {"narrow"}


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(tab: Page, pages: Path) -> None:
    """Tab walks through every link, fold and scrolling table in order, and each has an outline when it is its turn."""
    tab.open(pages / "not-ready-email.html")
    wanted = tab.evaluate(f"{CONTROLS}.length")
    assert wanted > 8
    for place in range(wanted):
        tab.key("Tab")
        assert tab.evaluate(f"{CONTROLS}.indexOf(document.activeElement)") == place
        assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_it_prints_with_its_agreement_on_a_page_of_its_own(tab: Page, pages: Path) -> None:
    """A PDF of a handful of pages; no figure is cut in two, since none is higher than a page and none may break inside."""
    tab.open(pages / "not-ready-email.html")
    printed = tab.pdf()
    assert printed.startswith(b"%PDF")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 14
    tab.call("Emulation.setEmulatedMedia", media="print")
    heights = tab.evaluate("[...document.querySelectorAll('figure')].map(f => [f.offsetHeight, getComputedStyle(f).breakInside])")
    assert heights
    assert all(height < 900 and rule == "avoid" for height, rule in heights)
    assert tab.evaluate("getComputedStyle(document.querySelector('#targets')).breakBefore") == "page"
    assert tab.evaluate("document.querySelector('.signatures').getClientRects().length") == 1
    tab.call("Emulation.setEmulatedMedia", media="screen")


def test_every_figure_names_itself_and_holds_its_numbers(tab: Page, pages: Path) -> None:
    """A caption, a text alternative for each size, and a folded table: for readers who do not see the drawing."""
    tab.open(pages / "not-ready-email.html")
    figures = tab.evaluate(
        "[...document.querySelectorAll('figure')].map(f => ({caption: f.querySelector('figcaption').innerText,"
        " named: [...f.querySelectorAll(':scope > svg')].every(s => s.getAttribute('role') === 'img' &&"
        " s.getAttribute('aria-labelledby').split(' ').every(id => document.getElementById(id).textContent.length > 10)),"
        " rows: f.querySelectorAll('details table tbody tr').length}))"
    )
    assert len(figures) >= 6
    for figure in figures:
        assert figure["caption"].endswith(".")
        assert figure["named"]
        assert figure["rows"] > 1
    assert tab.evaluate("(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('[id]')].map(n => n.id))") == 0


AXE = os.environ.get("SURGE_AXE", "")


@pytest.mark.skipif(not AXE, reason="no axe here: unpack axe.min.js of the npm package axe-core and name it in SURGE_AXE")
@pytest.mark.parametrize(("name", "dark"), [("ready", False), ("not-ready-email", True), ("nothing-measured", False), ("index", True)])
def test_axe_finds_nothing(name: str, dark: bool, tab: Page, pages: Path) -> None:
    """The accessibility checker that the field agrees on reports no violation."""
    tab.open(pages / f"{name}.html", dark=dark)
    tab.evaluate(OPEN_ALL)
    tab.evaluate(Path(AXE).read_text(encoding="utf-8") + ";0")
    found = tab.evaluate("axe.run(document).then(r => r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))")
    assert found == []


def test_values_can_be_read_off_a_chart_by_pointer_and_by_keys(tab: Page, pages: Path) -> None:
    """The optional script tells the row of numbers next to the pointer, and marks where it is; arrow keys walk through them."""
    tab.open(pages / "not-ready-email.html")
    assert tab.problems == []
    box = tab.evaluate(
        "(svg => (svg.scrollIntoView({block: 'center'}), (b => [b.left, b.top, b.width, b.height])(svg.getBoundingClientRect())))"
        "(document.querySelector('#figure-answers > svg.wide'))"
    )
    tab.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + box[2] * 0.5, y=box[1] + box[3] * 0.5)
    told = "document.querySelector('#figure-answers .readout').innerText"
    second = re.match(r"Second: (\d+) · Offered, visitors a minute: ", tab.evaluate(told))
    assert second is not None
    assert 20 <= int(second[1]) <= 36  # the middle of a test of 58 seconds
    tab.evaluate("document.querySelector('#figure-answers > svg.wide').focus()")
    tab.key("ArrowRight")
    assert tab.evaluate(told).startswith(f"Second: {int(second[1]) + 1} ")


def test_a_click_on_a_columns_head_sorts_the_table(tab: Page, pages: Path) -> None:
    """Numbers sort as numbers, with their units; the head says which way."""
    tab.open(pages / "not-ready-email.html")
    tab.evaluate(OPEN_ALL)
    table = "document.querySelector('#figure-throughput table')"
    tab.evaluate(f"{table}.querySelectorAll('th button')[6].click()")
    shown = tab.evaluate(f"[...{table}.tBodies[0].rows].map(row => row.cells[6].innerText)")
    times = [float(text.split()[0]) * (1000 if text.endswith(" s") else 1) for text in shown]
    assert times == sorted(times)
    assert tab.evaluate(f"{table}.querySelectorAll('th')[6].getAttribute('aria-sort')") == "ascending"
