"""A corpus of mistakes that people make in a scenario: each is found at its own line, with the key or value that was meant, and alone."""

import re
from pathlib import Path

import pytest

from harness.scenario.load import ScenarioError, parse

SOUND = """\
name: Spring product webcast
campaign:
  type: webcast
  registrants: 20,000
  attendance: 40%
  starts: 2026-12-03 15:00 Europe/London
  length: 45 min
target:
  url: https://www.example.com
  allow: [www.example.com]
promises:
  - 95% of responses within 800 ms
  - errors below 1%
business:
  conversion: 3%
  value: 60 GBP
journeys:
  - name: watch
    share: 85%
    steps:
      - page: /webcast
        check: {contains: Join now}
      - think: 5 s to 20 s
      - post: /webcast/join
        form: {email: "{{ visitor.email }}"}
        extract: {ticket: json $.ticket}
        headers: {accept: application/json}
      - watch: /live/{{ ticket }}/index.m3u8
        for: 20 min
        meanwhile:
          - get: /live/questions?ticket={{ ticket }}
            every: 10 s
  - name: look and leave
    share: 15%
    steps:
      - get: /webcast
        timeout: 10 s
"""

# what stands in the sound file → what stands there instead, the line of the mistake, and what the message must say
MISTAKES = [
    # keys
    ("name: Spring", "nmae: Spring", 1, "did you mean name?"),
    ("name: Spring", "title: Spring", 1, "did you mean name?"),
    ("campaign:\n", "campain:\n", 2, "did you mean campaign?"),
    ("  registrants:", "  registrant:", 4, "did you mean registrants?"),
    ("  registrants:", "  signups:", 4, "did you mean registrants?"),
    ("  attendance:", "  atendance:", 5, "did you mean attendance?"),
    ("  attendance:", "  Attendance:", 5, "did you mean attendance?"),
    ("  length: 45 min", "  lenght: 45 min", 7, "did you mean length?"),
    ("  length: 45 min", "  click_rate: 3%", 7, "it belongs under campaign, of type email_blast"),
    ("  length: 45 min", "  conversions: 3%", 7, "it may hold type"),
    ("  length: 45 min", "  allow: [a.example]", 7, "it belongs under target"),
    ("target:\n", "targets:\n", 8, "did you mean target?"),
    ("  url: https", "  adress: https", 9, 'has no key "adress"'),
    ("  allow:", "  allowed:", 10, "did you mean allow?"),
    ("promises:", "promise:", 11, "did you mean promises?"),
    ("promises:", "SLA:", 11, "did you mean promises?"),
    ("  conversion:", "  convertion:", 15, "did you mean conversion?"),
    ("  value:", "  vlaue:", 16, "did you mean value?"),
    ("journeys:", "journey:", 17, "did you mean journeys?"),
    ("    share: 85%", "    shar: 85%", 19, "did you mean share?"),
    ("    share: 85%", "    weight: 85%", 19, "did you mean share?"),
    ("share: 85%\n    steps:", "share: 85%\n    step:", 20, "did you mean steps?"),
    ("{contains:", "{contians:", 22, "did you mean contains?"),
    ("        check: {contains", "        chek: {contains", 22, "did you mean check?"),
    ("        check: {contains", "        assert: {contains", 22, "did you mean check?"),
    ("        form:", "        from:", 25, "did you mean form?"),
    ("        extract:", "        exract:", 26, "did you mean extract?"),
    ("        headers:", "        header:", 27, "did you mean headers?"),
    ("        for: 20 min", "        duration: 20 min", 29, "did you mean for?"),
    ("        meanwhile:", "        meanwile:", 30, "did you mean meanwhile?"),
    ("            every:", "            evry:", 32, "did you mean every?"),
    ("        timeout: 10 s", "        timout: 10 s", 37, "did you mean timeout?"),
    # kinds of step and of campaign
    ("- page: /webcast", "- pgae: /webcast", 21, "did you mean page?"),
    ("- page: /webcast", "- visit: /webcast", 21, "did you mean page?"),
    ("- think: 5 s", "- wait: 5 s", 23, "did you mean think?"),
    ("- think: 5 s", "- Think: 5 s", 23, "did you mean think?"),
    ("- post: /webcast/join", "- pots: /webcast/join", 24, "did you mean post?"),
    ("- think: 5 s to 20 s", "- think", 23, "is not a step"),
    ("type: webcast", "type: webcst", 3, "did you mean webcast?"),
    ("type: webcast", "type: webinar", 3, "did you mean webcast?"),
    ("type: webcast", "type: television", 3, "type: email_blast"),
    # quantities
    ("20,000", "20.000", 4, "write 20,000 or 20"),
    ("20,000", "twenty thousand", 4, "write for example 20,000"),
    ("20,000", "2,5 million", 4, "write 2.5"),
    ("20,000", "-5", 4, "is not a whole number"),
    ("20,000", "0", 4, "at least 1 registrant"),
    ("attendance: 40%", "attendance: 0.4", 5, "write 40% or 0.4%"),
    ("attendance: 40%", "attendance: 40", 5, "write 40%"),
    ("attendance: 40%", "attendance: 140%", 5, "between 0% and 100%"),
    ("attendance: 40%", "attendance: -4%", 5, "between 0% and 100%"),
    ("attendance: 40%", "attendance: 0%", 5, "30% to 60% is usual"),
    ("attendance: 40%", "attendance:", 5, "has no value"),
    ("15:00 Europe/London", "15:00", 6, "names no time zone"),
    ("15:00 Europe/London", "15:00 Europe/Lodnon", 6, "did you mean Europe/London?"),
    ("2026-12-03 15:00", "2026-02-30 15:00", 6, "does not exist"),
    ("2026-12-03 15:00", "2026-03-29 01:30", 6, "the clocks go forward"),
    ("2026-12-03 15:00", "2026-10-25 01:30", 6, "comes twice"),
    ("2026-12-03 15:00", "3 December at 3", 6, "is not a date and time"),
    ("length: 45 min", "length: 45", 7, "write 45 s, 45 min or 45 ms"),
    ("length: 45 min", "length: 0:45", 7, "can be read in two ways"),
    ("length: 45 min", "length: 2 s", 7, "from 1 min to 1 d"),
    ("60 GBP", "60", 16, "write 60 GBP"),
    ("60 GBP", "0 GBP", 16, "worth nothing"),
    ("think: 5 s to 20 s", "think: 20 s to 5 s", 23, "write 5 s to 20 s"),
    ("think: 5 s to 20 s", "think: 5 to 20", 23, "write 20 s"),
    ("think: 5 s to 20 s", "think: 0", 23, "too short"),
    ("think: 5 s to 20 s", "think: 3 d", 23, "too long"),
    ("every: 10 s", "every: 0 s", 32, "write at least 100 ms"),
    # the target and its hosts
    ("url: https://www.example.com", "url: www.example.com", 9, "is not an address"),
    ("url: https://www.example.com", "url: https://www.example.org", 9, "write allow: [www.example.org]"),
    ("url: https://www.example.com", "url: https://www.example.com/shop", 9, "write https://www.example.com, and the paths"),
    ("url: https://www.example.com", "url: https://me:pw@www.example.com", 9, "user name or password"),
    ("[www.example.com]", "[https://www.example.com]", 10, "write the host alone"),
    ("[www.example.com]", '["*.example.com", www.example.com]', 10, "no wildcards"),
    ("page: /webcast", "page: webcast", 21, "did you mean /webcast?"),
    ("page: /webcast", "page: https://cdn.example.com/webcast", 21, "write allow: [cdn.example.com]"),
    ("page: /webcast", "page: /web cast", 21, "write /web%20cast"),
    ("page: /webcast", "page: /webcast#join", 21, "write /webcast"),
    ("page: /webcast", 'page: "https://{{ visitor.id }}.example.com/"', 21, "cannot be a variable"),
    # promises
    ("95% of responses within 800 ms", "fast", 12, "95% of responses within 800 ms"),
    ("95% of responses within 800 ms", "95% of responses within 800", 12, "names no time"),
    ("95% of responses within 800 ms", "100% of responses within 800 ms", 12, "99.9%"),
    ("95% of responses within 800 ms", "responses average 800 ms", 12, "promise a share"),
    ("errors below 1%", "errors below 1", 13, "does not say how many"),
    ("errors below 1%", "no errors", 13, "errors below 0.1%"),
    ("errors below 1%", "95% of responses within 2 s", 13, "keep the stricter one"),
    ("promises:\n  - 95% of responses within 800 ms\n  - errors below 1%", "promises: 95% of responses within 800 ms", 11, "with a dash"),
    ("promises:\n  - 95% of responses within 800 ms\n  - errors below 1%", "promises: []", 11, "promises nothing"),
    # journeys
    ("share: 85%", "share: 75%", 34, "add up to 90%"),
    ("name: look and leave", "name: watch", 33, "in line 18: rename one"),
    ("      - get: /webcast\n        timeout: 10 s", "      - think: 5 s", 36, "sends no request"),
    # variables and expressions
    ("{{ visitor.email }}", "{{ visitor.mail }}", 25, "did you mean {{ visitor.email }}?"),
    ("/live/{{ ticket }}/index", "/live/{{ tiket }}/index", 28, "did you mean {{ ticket }}?"),
    ("/live/{{ ticket }}/index", "/live/{{ ticket | upper }}/index", 28, "one name and nothing else"),
    ("/live/{{ ticket }}/index", "/live/{{ ticket }/index", 28, "braces do not match"),
    ("page: /webcast", "page: /webcast?t={{ ticket }}", 21, "before this step"),
    ("json $.ticket", "$.ticket", 26, "did you mean json $.ticket?"),
    ("json $.ticket", "json ticket", 26, "starts with $"),
    ("json $.ticket", '"json $.ticket["', 26, "cannot be read from '['"),
    ("json $.ticket", "json $.items[0].id", 26, "put the whole value in quotes"),
    ("/live/{{ ticket }}/index.m3u8", "{{ ticket }}/index.m3u8", 28, "put the whole value in quotes"),
    ('"{{ visitor.email }}"', "${MAIL}", 25, "put the whole value in quotes"),
    ("json $.ticket", "regex ticket=(", 26, "cannot be read: missing )"),
    ("json $.ticket", "xpath //ticket", 26, "does not say where ticket is found"),
    ("{ticket: json", "{my-ticket: json $.a, ticket: json", 26, "cannot be the name of a variable"),
    ("{contains: Join now}", "{matches: '(Join'}", 22, "cannot be read"),
    ("{contains: Join now}", "{status: 2000}", 22, "is not an HTTP status"),
    ("{contains: Join now}", "{}", 22, "asks for nothing"),
    ("{contains: Join now}", "{contains: ''}", 22, "is in every answer"),
    ("{accept: application/json}", "{content-length: 5}", 27, "set by the client"),
    ("{accept: application/json}", "{my header: 5}", 27, "is not the name of a header"),
    ("business:\n  conversion: 3%\n  value: 60 GBP", "business: {conversion: 3%, value: 1,200 GBP}", 14, "without commas"),
    # missing
    ("  registrants: 20,000\n", "", 2, 'has no "registrants" (write registrants: 20,000)'),
    ("  type: webcast\n", "", 2, "the campaign has no type"),
    ("  value: 60 GBP\n", "", 14, 'has no "value" (write value: 60 GBP)'),
    ("        for: 20 min\n", "", 28, 'the watch step has no "for" (write for: 20 min)'),
    ("    share: 85%\n", "", 18, 'has no "share" (write share: 85%)'),
    # YAML
    ("name: Spring", "name: Big: Spring", 1, "second colon"),
    ("  attendance: 40%", "\tattendance: 40%", 5, "a tab"),
    ("  attendance: 40%", "   attendance: 40%", 5, "second colon"),
    ("  attendance: 40%", "  attendance: 40%\n  attendance: 50%", 6, "twice"),
    ('form: {email: "{{ visitor.email }}"}', "form: {email: {{ visitor.email }}}", 25, "quotes"),
    ("check: {contains: Join now}", "check: {contains: @now}", 22, "quotes"),
]


def problems(text: str) -> tuple[str, ...]:
    try:
        parse(text, Path("a.yaml"))
    except ScenarioError as error:
        return tuple(map(str, error.problems))
    return ()


def test_the_sound_file_is_sound() -> None:
    """The corpus starts from a file without a mistake."""
    assert problems(SOUND) == ()


@pytest.mark.parametrize(("was", "wrong", "line", "says"), MISTAKES, ids=[f"{line}-{wrong.strip()[:40]}" for _, wrong, line, _ in MISTAKES])
def test_a_mistake_is_found_where_it_stands_and_nothing_else_is_reported(was: str, wrong: str, line: int, says: str) -> None:
    """One mistake, one message: its line, a column inside that line, what is wrong and what to write instead."""
    assert was in SOUND
    text = SOUND.replace(was, wrong, 1)
    found = problems(text)
    assert len(found) == 1, found
    place = re.fullmatch(r"a\.yaml:(\d+):(\d+): (.+)", found[0])
    assert place is not None, found
    assert int(place[1]) == line, found
    assert 1 <= int(place[2]) <= len(text.splitlines()[line - 1]) + 1
    assert says in place[3], found


@pytest.mark.parametrize(("was", "wrong", "line", "says"), MISTAKES, ids=[f"{line}-{wrong.strip()[:40]}" for _, wrong, line, _ in MISTAKES])
def test_every_message_carries_a_remedy(was: str, wrong: str, line: int, says: str) -> None:
    """Nobody is told that something is wrong without being told what to do."""
    with pytest.raises(ScenarioError) as error:
        parse(SOUND.replace(was, wrong, 1), Path("a.yaml"))
    assert all(problem.remedy for problem in error.value.problems)


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    """Twelve mistakes in one file, some below a misspelt key: twelve messages, in the order of the lines."""
    text = SOUND
    edits = [
        ("campaign:\n", "campain:\n"),
        ("20,000", "20.000"),
        ("  attendance:", "  atendance:"),
        ("[www.example.com]", "[www.example.org]"),
        ("within 800 ms", "within 800"),
        ("60 GBP", "60"),
        ("share: 85%", "share: 75%"),
        ("- page:", "- pgae:"),
        ("visitor.email", "visitor.mail"),
        ("$.ticket", "ticket"),
        ("for: 20 min", "for: 20"),
        ("every: 10 s", "evry: 10 s"),
    ]
    for was, wrong in edits:
        text = text.replace(was, wrong, 1)
    with pytest.raises(ScenarioError) as error:
        parse(text, Path("a.yaml"))
    lines = [problem.line for problem in error.value.problems]
    assert lines == sorted(lines)
    assert lines == [2, 4, 5, 9, 12, 16, 21, 25, 26, 29, 32, 34]
