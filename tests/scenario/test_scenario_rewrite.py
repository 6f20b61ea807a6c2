"""A scenario's text with other values: only these keys change, comments and order stay, and what would change more is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scenario import load
from harness.scenario.rewrite import rewritten

FOLDER = Path(__file__).parents[2] / "scenarios"
MAIL = (FOLDER / "email_blast.yaml").read_text(encoding="utf-8")


def lines_changed(before: str, after: str) -> list[tuple[str, str]]:
    old, new = before.splitlines(), after.splitlines()
    assert len(old) == len(new)
    return [(a, b) for a, b in zip(old, new, strict=True) if a != b]


def test_a_value_changes_where_it_stands_and_the_comment_behind_it_keeps_its_column() -> None:
    """One line differs, by its value alone."""
    after = rewritten(MAIL, {"campaign.sent_over": "15 min"})
    ((was, now),) = lines_changed(MAIL, after)
    assert now == "  sent_over: 15 min                    # how fast the mails leave: the lever that marketing has"
    assert was.index("#") == now.index("#")
    assert load.parse(after).campaign.sent_over == 900.0  # type: ignore[union-attr]


def test_a_key_that_was_left_out_is_added_below_the_one_changed_with_it() -> None:
    """Batches stand beside the sending time, not at the end of the file."""
    after = rewritten(MAIL, {"campaign.sent_over": "25 min", "campaign.batches": "6"})
    lines = after.splitlines()
    assert lines[next(k for k, line in enumerate(lines) if "sent_over" in line) + 1] == "  batches: 6"
    assert len(lines) == len(MAIL.splitlines()) + 1
    assert load.parse(after).campaign.batches == 6  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "changes", "after"),
    [
        ("a: {b: 1, c: 2}\n", {"a.c": "1,200"}, 'a: {b: 1, c: "1,200"}\n'),
        ("a: {b: one}\n", {"a.c": "2026-12-03 15:00 Europe/London"}, "a: {b: one, c: 2026-12-03 15:00 Europe/London}\n"),
        ("a:\n  - b: 1 # first\n    c: 2\n  - b: 3\n", {"a[1].c": "4"}, "a:\n  - b: 1 # first\n    c: 2\n  - b: 3\n    c: 4\n"),
        ("a:\n  b: 'old' # why\n", {"a.b": "1,200"}, "a:\n  b: 1,200 # why\n"),
        ("a:\n  b: 1\n  c:\n", {"a.c": "7"}, "a:\n  b: 1\n  c: 7\n"),
        ("a:\n  b: 1", {"a.c": "7"}, "a:\n  b: 1\n  c: 7"),
        ("a:\n  b: |\n    long\n    text\n  c: 1\n  d: {}\n", {"a.e": "x"}, "a:\n  b: |\n    long\n    text\n  c: 1\n  e: x\n  d: {}\n"),
        ("a:\n  b: 1\n", {"a.b": "no: such # thing"}, 'a:\n  b: "no: such # thing"\n'),
    ],
)
def test_blocks_braces_lists_and_quotes(text: str, changes: dict[str, str], after: str) -> None:
    """Whatever way the author writes YAML, the change is written in the same way."""
    assert rewritten(text, changes) == after


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("x: &n 5 min\na: {b: *n}\n", {"a.b": "6 min"}),  # the anchor would change with it
        ("x: &m {b: 1}\na:\n  <<: *m\n", {"a.b": "2"}),
        ("a:\n  b: [1, 2]\n", {"a.b": "3"}),
        ("a: 1\n", {"a.b": "3"}),
        ("a:\n  - b: 1\n", {"a[4].b": "3"}),
        ("a:\n  b: 1\n", {"a.x.b": "3"}),
    ],
)
def test_what_cannot_be_changed_alone_is_refused(text: str, changes: dict[str, str]) -> None:
    """Better no file than one that changes more than it says."""
    with pytest.raises(ValueError, match=r"cannot be changed|is no key|not replaced"):
        rewritten(text, changes)


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff"), max_size=20)
)
def test_any_value_reads_back_as_it_was_given(value: str) -> None:
    """Quotes come by themselves where YAML needs them."""
    from harness.scenario.source import parse

    text = rewritten("a:\n  b: 1 # why\n  c: 2\n", {"a.b": value or "x"})
    assert parse(text, Path("x.yaml")).at("a", "b").value == (value or "x")
    assert text.endswith("  c: 2\n")
