"""Fitting: known parameters come back within their intervals from synthetic exports, a wrong model is told, the YAML is a scenario's."""

from __future__ import annotations

import numpy as np
import pytest

from harness.campaigns import plan_one
from harness.campaigns.cascade import cascade
from harness.campaigns.fit import Fit, fit
from harness.campaigns.fitted import describe, yaml
from harness.campaigns.schedule import schedule
from harness.scenario.campaign import EmailBlast, OneCampaign, ViralSpike, Webcast

Rows = list[tuple[float, float, float]]


def export(times: np.ndarray, interval: float, until: float) -> Rows:
    """Arrival times as an analytics tool would export them."""
    edges = np.arange(0.0, until + interval, interval)
    counts = np.histogram(times, edges)[0]
    return [(float(a), float(b), float(n)) for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)]


def covered(fits: list[Fit], truth: dict[str, float]) -> dict[str, int]:
    """In how many fits the interval holds the true value."""
    return {name: sum(one[name].low <= true <= one[name].high for one in fits) for name, true in truth.items()}


def test_a_mails_parameters_are_recovered_in_at_least_90_of_100_seeds() -> None:
    """Three days in 10-minute rows; clicks, median, σ and the sending time each within their 95 % interval."""
    campaign = EmailBlast(list_size=500_000, sent_over=3600.0, half_of_clicks_within=2 * 3600.0, click_spread=2.2)
    plan = plan_one(campaign)
    fits = [fit(export(schedule(plan, seed), 600.0, 3 * 86400.0), "email_blast") for seed in range(100)]
    truth = {"clicks": 14_355.0, "half_of_clicks_within": 7200.0, "click_spread": 2.2, "sent_over": 3600.0}
    found = covered(fits, truth)
    assert min(found.values()) >= 90, found
    assert sum(one.p > 0.01 for one in fits) >= 96


def test_a_webcasts_parameters_are_recovered_in_at_least_90_of_100_seeds() -> None:
    """One-minute rows from an hour before the start on."""
    plan = plan_one(Webcast(registrants=10_000, punctuality=120.0))
    fits = [fit(export(schedule(plan, seed), 60.0, 7200.0), "webcast") for seed in range(100)]
    found = covered(fits, {"audience": 4_000.0, "punctuality": 120.0, "start": plan.zero})
    assert min(found.values()) >= 90, found


def test_a_spikes_parameters_are_recovered_from_real_cascades_in_at_least_90_of_100_seeds() -> None:
    """Not from the mean curve but from cascades with all their luck: seeds and R within their intervals."""
    campaign = ViralSpike(seed_visitors=5_000, passed_on=0.6)
    fits = [fit(export(cascade(campaign, seed), 300.0, 86400.0), "viral_spike") for seed in range(100)]
    found = covered(fits, {"seed_visitors": 5_000.0, "passed_on": 0.6})
    assert min(found.values()) >= 90, found


def test_a_given_sending_time_is_not_estimated() -> None:
    """Three parameters instead of four."""
    plan = plan_one(EmailBlast(list_size=100_000, sent_over=1800.0))
    found = fit(export(schedule(plan, 1), 600.0, 86400.0), "email_blast", sent_over=1800.0)
    assert [estimate.name for estimate in found.estimates] == ["clicks", "half_of_clicks_within", "click_spread"]


@pytest.mark.parametrize("campaign", [Webcast(registrants=20_000), EmailBlast(list_size=500_000, sent_over=86400.0)], ids=lambda c: c.type)
def test_a_wrong_model_is_told(campaign: OneCampaign) -> None:
    """A webcast is no mail and a day-long mail is no spike: the fit says so, in its p and in words."""
    other = "email_blast" if campaign.type == "webcast" else "viral_spike"
    plan = plan_one(campaign)
    found = fit(export(schedule(plan, 1), 60.0 if campaign.type == "webcast" else 600.0, min(float(plan.times[-1]), 2 * 86400.0)), other)  # type: ignore[arg-type]
    assert found.p < 0.01
    assert "before you trust it" in "\n".join(describe(found))


def test_the_yaml_brings_the_same_campaign_back() -> None:
    """Pasted into a scenario, the fitted campaign has the visitors and the peak of the one that was measured."""
    from harness.scenario.load import parse

    campaign = EmailBlast(list_size=500_000, sent_over=3600.0)
    plan = plan_one(campaign)
    found = fit(export(schedule(plan, 3), 600.0, 3 * 86400.0), "email_blast")
    text = "name: again\n" + yaml(found, list_size=500_000)
    text += "promises:\n  - errors below 1%\njourneys:\n  - name: look\n    share: 100%\n    steps:\n      - page: /\n"
    again = plan_one(parse(text).campaign)
    assert again.total == pytest.approx(plan.total, rel=0.05)
    assert again.peak == pytest.approx(plan.peak, rel=0.08)


def test_too_little_to_fit_is_refused() -> None:
    """Three rows, or eight with ten visitors."""
    with pytest.raises(ValueError, match="too few"):
        fit([(0.0, 60.0, 100.0)] * 3, "webcast")
    with pytest.raises(ValueError, match="too few"):
        fit([(60.0 * k, 60.0 * k + 60, 1.0) for k in range(10)], "email_blast")
