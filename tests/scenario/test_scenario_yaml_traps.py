"""What YAML 1.1 would silently turn into something else arrives as it was written, or is refused at its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.scenario.problems import ScenarioError
from harness.scenario.shape import typed
from harness.scenario.source import parse, read

FILE = Path("a.yaml")


def value(text: str) -> object:
    """What the key `x` holds."""
    node = parse(f"x: {text}\n", FILE)
    return node.at("x").bare()


@pytest.mark.parametrize(
    "text",
    [
        "1:30", "no", "on", "off", "y", "Yes", "TRUE", "0755", "0o17", "0x1F", "12e3", "1_000", "190:20:30", "2026-12-03",
        "2026-12-03 15:00:00", "2026-12-03T15:00:00Z", "2026-12-03 15:00 Europe/London",
        "1.0", ".5", "+1", "-0", ".inf", ".NaN", "=", "NULL", "Null",
    ],
)  # fmt: skip
def test_a_plain_value_stays_the_text_that_was_written(text: str) -> None:
    """No booleans out of `no`, no base 60 out of 1:30, no octal, no dates, no infinities."""
    assert value(text) == text


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_an_empty_value_is_none_and_a_quoted_one_is_text(text: str) -> None:
    """Only what is left empty is empty."""
    assert value(text) is None
    assert value(f'"{text}"') == text


def test_a_json_body_has_the_types_of_json_and_no_others() -> None:
    """Unquoted numbers and true, false are such, as JSON writes them; `no`, octal, dates, NaN and everything quoted stay text."""
    node = parse('x: {a: 1, b: 1.5, c: true, d: no, e: "1", f: 0755, g: 2026-12-03, h: null, i: NaN, j: 1e3, k: [false, 12:30]}', FILE)
    assert typed(node.at("x")) == {
        "a": 1, "b": 1.5, "c": True, "d": "no", "e": "1", "f": "0755", "g": "2026-12-03",
        "h": None, "i": "NaN", "j": 1000.0, "k": [False, "12:30"],
    }  # fmt: skip


def refusal(text: str) -> tuple[int, str]:
    with pytest.raises(ScenarioError) as error:
        parse(text, FILE)
    assert len(error.value.problems) == 1, error.value
    return error.value.problems[0].line, str(error.value)


REFUSED = [
    ("a: 1\nb: 2\na: 3\n", 3, '"a" stands here twice (the first is in line 1'),
    ("a:\n  b: 1\n  b: 1\n", 3, "twice"),
    ("a: {b: 1, b: 2}\n", 1, "twice"),
    ("a: 1\n\tb: 2\n", 2, "tab"),
    ("a:\n\t- b\n", 2, "tab"),
    ("a: b: c\n", 1, "second colon"),
    ("a: {{ b }}\n", 1, 'stand in quotes: "{{ ticket }}"'),
    ("a: @b\n", 1, "cannot start with '@'"),
    ("a: `b`\n", 1, "cannot start with '`'"),
    ("a: %b\n", 1, "cannot start with '%'"),
    ('a: "b\n', 2, "is not YAML"),
    ("a: [1, 2\nb: 3\n", 2, "is not YAML"),
    ("a: 1\nb\nc: 2\n", 3, "without its colon"),
    ("- a\nb: 1\n", 2, "indented like its neighbours"),
    ("a: *b\n", 1, "no anchor has the name"),
    ("a: !!python/object:os.system ls\n", 1, "tags such as"),
    ("a: !secret b\n", 1, "tags such as"),
    ("a: 1\n---\nb: 2\n", 2, "one scenario a file"),
    ("a: &a [*a]\n", 1, "contains itself"),
    ("<<: 5\na: 1\n", 1, "<< takes a block of keys"),
    ("? [a]\n: 1\n", 1, "a key must be a plain word"),
    ("a: {b: 20,000}\n", 1, "is the rest of a number"),
    ("a: b\x07c\n", 1, "U+0007"),
    ("", 1, "is empty"),
    ("# only a comment\n", 1, "is empty"),
    ("[" * 500 + "]" * 500, 1, "nested"),
]


@pytest.mark.parametrize(("text", "line", "says"), REFUSED, ids=[text.strip()[:24] or "nothing" for text, _, _ in REFUSED])
def test_what_cannot_be_meant_is_refused_at_its_line(text: str, line: int, says: str) -> None:
    """With words for people who do not write YAML every day."""
    at, message = refusal(text)
    assert says in message or (says == "nested" and "unfolds" in message)
    assert at == line


def test_anchors_and_merges_are_read_as_meant() -> None:
    """A step that is repeated may be written once; an own key wins over a merged one; the place is where it was written."""
    node = parse("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\n", FILE)
    assert node.bare() == {"a": {"x": "1", "y": "2"}, "b": {"x": "1", "y": "3"}, "c": {"x": "1", "y": "2"}}
    assert node.at("c", "x").mark.line == 1


def test_a_bomb_of_aliases_is_refused_before_it_unfolds() -> None:
    """Nine levels of nine aliases would be 387 million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    _, message = refusal("\n".join(lines))
    assert "unfolds to more than a scenario can hold" in message


def test_a_bomb_of_merges_is_refused_too() -> None:
    """Merge keys unfold as well."""
    lines = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} {{p: {{<<: *a{n - 1}}}, q: {{<<: *a{n - 1}}}}}" for n in range(1, 20)]
    _, message = refusal("\n".join(lines))
    assert "unfolds" in message


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"\xff\xfea\x00", "not UTF-8"), (b"a: 1\nb: caf\xe9\n", ":2:7: is not UTF-8"), (b"a: " + b"x" * 1_100_000, "larger than 1 MB")],
)
def test_a_file_that_is_no_text_says_so(tmp_path: Path, data: bytes, says: str) -> None:
    """UTF-16, Latin-1 and files of the wrong kind."""
    file = tmp_path / "a.yaml"
    file.write_bytes(data)
    with pytest.raises(ScenarioError, match=says):
        read(file)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    """Files come from all kinds of editors."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    _, tree = read(file)
    assert tree.bare() == {"a": "1", "b": "2"}
    assert tree.at("b").key is not None and tree.at("b").key.line == 2


def test_an_absent_file_and_a_folder_say_so(tmp_path: Path) -> None:
    """No traceback for either."""
    with pytest.raises(ScenarioError, match="No such file"):
        read(tmp_path / "a.yaml")
    with pytest.raises(ScenarioError, match="folder"):
        read(tmp_path)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    """Whatever stands in the file: a tree, or problems that name a line. Never another error."""
    try:
        parse(text, FILE)
    except ScenarioError as error:
        assert error.problems and all(problem.line >= 1 for problem in error.problems)
