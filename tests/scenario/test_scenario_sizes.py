"""Nonsense in a campaign's numbers is refused at its line with the sensible range; what is merely large is not."""

from pathlib import Path

import pytest

from harness.scenario import sizes
from harness.scenario.base import Model
from harness.scenario.load import ScenarioError, parse
from harness.scenario.schema import schema

REST = "promises: [errors below 1%]\njourneys: [{name: a, share: 100%, steps: [page: /]}]\n"
SOUND = {
    "email_blast": {"list_size": "120,000", "sent_over": "30 min"},
    "webcast": {"registrants": "20,000"},
    "viral_spike": {"seed_visitors": "5,000"},
    "flash_sale": {"invited": "50,000"},
}


def problems(kind: str, **more: str) -> list[tuple[int, str, str]]:
    block = "".join(f"  {key}: {value}\n" for key, value in (SOUND[kind] | more).items())
    try:
        parse(f"name: A\ncampaign:\n  type: {kind}\n{block}{REST}", Path("a.yaml"))
    except ScenarioError as error:
        return [(problem.line, problem.message, problem.remedy) for problem in error.problems]
    return []


@pytest.mark.parametrize("kind", SOUND)
def test_a_campaign_with_nothing_but_its_size_is_sound(kind: str) -> None:
    """Everything else has a default."""
    assert problems(kind) == []


@pytest.mark.parametrize(
    ("kind", "key", "value", "says"),
    [
        ("email_blast", "list_size", "0", "at least 1 address"),
        ("email_blast", "sent_over", "0", "from 1 s to 30 d"),
        ("email_blast", "click_rate", "0%", "1% to 5% is usual"),
        ("email_blast", "scanner_share", "100%", "30% is usual"),
        ("email_blast", "batches", "0", "how many portions"),
        ("email_blast", "throttle", "0/s", "200,000 an hour"),
        ("email_blast", "click_to_open", "13%", "open_rate: 36%"),
        ("email_blast", "time_zones", "[{later: 0, share: 60%}, {later: 6 h, share: 30%}]", "every part of the list"),
        ("email_blast", "time_zones", "[{later: 3 d, share: 100%}]", "at most 1 d"),
        ("webcast", "registrants", "0", "at least 1 registrant"),
        ("webcast", "attendance", "140%", "between 0% and 100%"),
        ("webcast", "length", "10 s", "from 1 min to 1 d"),
        ("webcast", "stream_drop", "{at: 2 h}", "before 1 h"),
        ("viral_spike", "seed_visitors", "0", "at least 1 visitor"),
        ("viral_spike", "passed_on", "1.2", "audience: 2 million"),
        ("viral_spike", "passed_on", "-1", "write for example 0.3"),
        ("viral_spike", "passed_on", "50", "0.3 is usual"),
        ("viral_spike", "audience", "4,000", "everybody who could ever come"),
        ("viral_spike", "shocks", "[{at: 1 h, visitors: 0}]", "how many visitors"),
        ("flash_sale", "invited", "0", "at least 1 guest"),
        ("flash_sale", "stock", "0", "never sells out"),
    ],
)
def test_nonsense_is_refused_with_the_sensible_range(kind: str, key: str, value: str, says: str) -> None:
    """At the line where it stands."""
    found = problems(kind, **{key: value})
    line = 4 + list(SOUND[kind] | {key: value}).index(key)
    assert found and all(at == line for at, _, _ in found), found
    assert any(says in remedy for _, _, remedy in found), found


def test_what_says_the_same_twice_is_refused() -> None:
    """Which of the two would count is nobody's to guess."""
    assert [line for line, _, _ in problems("email_blast", click_rate="3%", open_rate="36%")] == [7]
    assert [line for line, _, _ in problems("viral_spike", passed_on="0.5", doubles_every="10 min")] == [6]


def test_large_and_viral_campaigns_are_sound() -> None:
    """A list of a hundred million over a week; a spike above 1 with its audience."""
    assert problems("email_blast", list_size="100 million", sent_over="7 d") == []
    assert problems("viral_spike", passed_on="1.8", audience="2 million") == []


def test_every_range_is_that_of_a_key_and_holds_its_default() -> None:
    """No range is left over from a key that was renamed; no default is nonsense."""
    known = {f"{kind.__name__}.{key}": kind for kind in _all(Model) for key in kind.model_fields}
    for name, (low, high, remedy) in sizes.RANGES.items():
        assert name in known and low < high and remedy
        default = known[name].model_fields[name.split(".")[1]].default
        assert not isinstance(default, int | float) or low <= default <= high
    assert schema()


def _all(kind: type[Model]) -> set[type[Model]]:
    direct = set(kind.__subclasses__())
    return direct.union(*map(_all, direct))
