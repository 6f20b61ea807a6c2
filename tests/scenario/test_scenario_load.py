"""A file becomes a `Scenario`: its steps opened, its lines kept, its name found, its secrets left where they are."""

import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.scenario.catalog import samples
from harness.scenario.load import ScenarioError, load, parse, redacted, resolve, sha256
from harness.scenario.model import Check, Extract, Get, Page, Poll, Post, Scenario, Think, Watch
from harness.scenario.secrets import filled, references
from harness.scenario.spread import Spread

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SHIPPED = sorted(SCENARIOS.glob("*.yaml"))


def scenario(steps: str, file: str = "a.yaml") -> Scenario:
    """A sound scenario around the steps of one journey, which begin in line 7."""
    top = "name: A\ncampaign: {type: webcast, registrants: 100}\npromises: [errors below 1%]\njourneys:\n  - {name: a, share: 100%, "
    return parse(f"{top}\n     steps: [\n{steps}\n]}}\n", Path(file))


@pytest.mark.parametrize("file", SHIPPED, ids=[file.stem for file in SHIPPED])
def test_every_shipped_scenario_is_sound(file: Path) -> None:
    """With the schema's line on top, aimed at the embedded site."""
    found = load(file)
    assert found.file == file
    assert file.read_text(encoding="utf-8").splitlines()[0] == "# yaml-language-server: $schema=./scenario.schema.json"
    assert sum(journey.share for journey in found.journeys) == pytest.approx(1)


def test_the_webcast_reads_as_the_page_says() -> None:
    """Every unit, every kind of step, every line."""
    found = load(SCENARIOS / "webcast.yaml")
    lines = (SCENARIOS / "webcast.yaml").read_text(encoding="utf-8").splitlines()
    assert found.campaign.type == "webcast"
    assert (found.campaign.attendance, found.campaign.length) == (0.4, 2700.0)
    assert found.campaign.starts == datetime(2026, 12, 3, 15, tzinfo=UTC)
    assert [(promise.kind, promise.limit, promise.share) for promise in found.promises] == [("latency", 0.8, 0.95), ("errors", 0.01, 0.95)]
    assert found.business is not None and str(found.business.value) == "60 GBP"
    page, think, post, watch = found.journeys[0].steps
    assert isinstance(page, Page) and page.check == Check(contains=("Join now",))
    assert isinstance(think, Think) and think.pause == Spread.uniform(5, 20)
    assert isinstance(post, Post) and post.form == {"email": "{{ visitor.email }}"}
    assert post.extract == (Extract(name="ticket", source="json", expression="$.ticket"),)
    assert isinstance(watch, Watch) and watch.duration == Spread.fixed(1200)
    assert [(poll.get, poll.every) for poll in watch.meanwhile] == [("/live/questions?ticket={{ ticket }}", 10.0)]
    for step, word in zip((page, think, post, watch), ("page:", "think:", "post:", "watch:"), strict=True):
        assert word in lines[step.line - 1]
    assert "get:" in lines[watch.meanwhile[0].line - 1]


def test_a_step_may_be_written_short_or_long() -> None:
    """A check that is a text, one status or several, one poll without a list, a name of one's own."""
    get, watch = scenario(
        "{get: /a, name: Start, check: Hello, timeout: 5 s, headers: {accept: text/html}},"
        "{watch: /l.m3u8, for: about 5 min, meanwhile: {get: /q, every: 10 s, check: {status: 200}}}"
    ).journeys[0].steps  # fmt: skip
    assert get == Get(line=7, name="Start", url="/a", check=Check(contains=("Hello",)), timeout=5.0, headers={"accept": "text/html"})
    assert isinstance(watch, Watch) and watch.meanwhile == (Poll(line=7, get="/q", every=10.0, check=Check(status=(200,))),)
    assert (get.label, watch.label) == ("Start", "watch /l.m3u8")


def test_the_json_of_a_post_keeps_the_types_of_json() -> None:
    """And is looked through for variables."""
    (post,) = scenario('{post: /a, json: {n: 2, ok: true, zip: 0755, email: "{{ visitor.email }}"}}').journeys[0].steps
    assert isinstance(post, Post)
    assert post.json_body == {"n": 2, "ok": True, "zip": "0755", "email": "{{ visitor.email }}"}
    with pytest.raises(ScenarioError, match=r"did you mean \{\{ visitor.email \}\}"):
        scenario('{post: /a, json: {deep: [{email: "{{ visitor.emial }}"}]}}')


def test_a_variable_lives_in_its_journey_and_only_after_its_step() -> None:
    """Another journey, the same step and an earlier step do not know it."""
    assert scenario('{get: /a, extract: {t: header Location}}, {get: "/b/{{ t }}"}')
    for steps in ('{get: "/b/{{ t }}", extract: {t: header Location}}', '{get: "/b/{{ t }}"}, {get: /a, extract: {t: header Location}}'):
        with pytest.raises(ScenarioError, match='nobody has set the variable "t"'):
            scenario(steps)


def test_hosts_of_this_machine_need_no_permission() -> None:
    """Loopback in every spelling; the rest must be listed, whatever its case."""
    for url in ("http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000", "demo"):
        text = f"name: A\ncampaign: {{type: webcast, registrants: 100}}\ntarget: {{url: '{url}'}}\npromises: [errors below 1%]\n"
        assert parse(text + "journeys: [{name: a, share: 100%, steps: [page: /]}]\n").target.url == url
    allowed = "target: {url: 'https://WWW.Example.com', allow: [www.example.com.]}\npromises: [errors below 1%]\n"
    text = "name: A\ncampaign: {type: webcast, registrants: 100}\n" + allowed
    assert parse(text + "journeys: [{name: a, share: 100%, steps: [page: /]}]\n")


def test_a_name_finds_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bare, with its ending, or as a path."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "webcast.yaml").write_text("x")
    (tmp_path / "other.yaml").write_text("x")
    assert resolve("webcast") == resolve("webcast.yaml") == resolve("scenarios/webcast.yaml") == Path("scenarios/webcast.yaml")
    assert resolve(tmp_path / "other.yaml") == tmp_path / "other.yaml"


@pytest.mark.parametrize(
    ("name", "says"),
    [("webcst", "did you mean webcast?"), ("Webcast", "did you mean webcast?"), ("zzz", "there are email_blast, webcast"),
     ("scenarios/webcst.yaml", "did you mean scenarios/webcast.yaml?"), ("nowhere/a.yaml", "there is no such file")],
)  # fmt: skip
def test_a_wrong_name_is_told_the_right_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str) -> None:
    """From the files that are there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios").mkdir()
    for known in ("webcast", "email_blast"):
        (tmp_path / "scenarios" / f"{known}.yaml").write_text("x")
    with pytest.raises(ScenarioError) as error:
        resolve(name)
    assert says in str(error.value)


def test_the_fingerprint_is_that_of_the_bytes(tmp_path: Path) -> None:
    """sha256, as every other tool computes it."""
    file = tmp_path / "a.yaml"
    file.write_bytes(b"name: A\r\n")
    assert sha256(file) == hashlib.sha256(b"name: A\r\n").hexdigest()


SECRETS = """\
{get: "/a?api_key=k-123&x=1", headers: {Authorization: Bearer hunter1, Cookie: "sid=${SID}", X-Api-Key: hunter2, Accept: text/html}},
{post: "/b?token={{ visitor.id }}", form: {password: hunter3, csrf: "${CSRF}", email: "{{ visitor.email }}"}},
{post: /c, json: {secret: hunter4, credentials: {user: hunter5, n: [hunter6]}, n: 1}}"""


def test_no_secret_survives_in_a_copy_and_the_copy_is_sound() -> None:
    """Headers, form fields, JSON and addresses; references and variables stay, and so does everything else."""
    found = scenario(SECRETS)
    text = (
        "name: A\ncampaign: {type: webcast, registrants: 100}\npromises: [errors below 1%]\njourneys:\n  - {name: a, share: 100%, steps: ["
        + SECRETS
        + "]}\n"
    )
    copy = redacted(text)
    assert "hunter" not in copy and "k-123" not in copy
    for kept in ("${SID}", "${CSRF}", "{{ visitor.email }}", "token={{ visitor.id }}", "text/html", "x=1", "n: 1"):
        assert kept in copy
    again = parse(copy)
    assert [type(step) for step in again.journeys[0].steps] == [type(step) for step in found.journeys[0].steps]
    assert redacted(copy) == copy


def test_a_scenario_without_secrets_is_copied_as_it_is() -> None:
    """Byte for byte."""
    for file in SHIPPED:
        assert redacted(file.read_text(encoding="utf-8")) == file.read_text(encoding="utf-8")


def test_references_are_filled_in_for_the_run_and_nowhere_else() -> None:
    """The scenario that was read keeps its references."""
    found = scenario(SECRETS)
    assert references(found) == ("SID", "CSRF")
    run = filled(found, {"SID": "abc", "CSRF": "def"})
    first, second, _ = run.journeys[0].steps
    assert isinstance(first, Get) and first.headers["Cookie"] == "sid=abc"
    assert isinstance(second, Post) and second.form is not None and second.form["csrf"] == "def"
    assert "abc" not in found.model_dump_json()


def test_a_filled_in_address_keeps_its_name() -> None:
    """Reports and messages show labels: none may hold a secret."""
    found = scenario('{get: "/a?key=${KEY}"}, {watch: "/l?k=${KEY}", for: 5 min, meanwhile: {get: "/q?k=${KEY}", every: 10 s}}')
    run = filled(found, {"KEY": "hunter2"})
    assert [sample.label for sample in samples(run)] == [sample.label for sample in samples(found)]
    assert not any("hunter2" in sample.label for sample in samples(run))


def test_a_reference_that_is_not_set_is_told_with_its_line() -> None:
    """Before anything is sent; and every one at once."""
    with pytest.raises(ScenarioError) as error:
        filled(scenario(SECRETS), {})
    assert [problem.line for problem in error.value.problems] == [7, 8]
    assert "SID is not set" in str(error.value) and "CSRF is not set" in str(error.value)


def test_reading_a_scenario_needs_none_of_the_heavy_rooms() -> None:
    """No numpy, pandas, locust, gevent, jinja2 or rich: `surge validate` must answer at once."""
    heavy = "('numpy', 'pandas', 'locust', 'gevent', 'jinja2', 'rich')"
    code = f"import sys, harness.scenario.load; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
