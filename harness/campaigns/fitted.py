"""In: `Fit`. Out: what it says in sentences, and the block `campaign` to paste into a scenario."""

from __future__ import annotations

from harness.campaigns.fit import Fit
from harness.scenario.spread import duration_text


def describe(found: Fit) -> tuple[str, ...]:
    """The fit as sentences."""
    said = [f"{found.kind} fitted to {found.rows:,} intervals; it explains {max(found.explained, 0.0):.1%} of their variation."]
    said += [
        f"{e.name}: {_written(e.name, e.value)} (95 % interval {_written(e.name, e.low)} to {_written(e.name, e.high)})"
        for e in found.estimates
    ]
    if found.p >= 0.01:
        said.append(f"The fit is good: so much scatter or more comes by chance in {found.p:.0%} of cases.")
    else:
        said.append(
            f"The curve scatters {found.dispersion:.1f} times as much as this model and chance allow: the intervals are widened for it,"
            " but look at the curve before you trust it (another campaign in the data, bots, a second mail?)."
        )
    return tuple(said)


def yaml(found: Fit, *, list_size: int | None = None) -> str:
    """The block `campaign` to paste into a scenario. For a mail, `list_size` turns clicks into a click rate."""
    value = {estimate.name: estimate.value for estimate in found.estimates}
    lines = [f"campaign:\n  type: {found.kind}"]
    if found.kind == "email_blast":
        size = list_size or round(value["clicks"] / (0.99 * 0.029))
        note = "" if list_size else "        # so that 2.9% click: write the real list and its click rate"
        lines.append(f"  list_size: {size:,}{note}")
        lines.append(f"  sent_over: {_written('sent_over', value.get('sent_over', 1800.0))}")
        lines.append(f"  click_rate: {100 * value['clicks'] / (0.99 * size):.3g}%")
        lines.append(f"  half_of_clicks_within: {_written('half_of_clicks_within', value['half_of_clicks_within'])}")
        lines.append(f"  click_spread: {value['click_spread']:.3g}")
    elif found.kind == "webcast":
        lines.append(f"  registrants: {round(value['audience']):,}        # those who came: write the registrants and their attendance")
        lines.append("  attendance: 100%")
        lines.append(f"  punctuality: {_written('punctuality', value['punctuality'])}")
    else:
        lines.append(f"  seed_visitors: {round(value['seed_visitors']):,}")
        lines.append(f"  passed_on: {value['passed_on']:.3g}")
    return "\n".join(lines) + "\n"


def _written(name: str, value: float) -> str:
    """A value as a scenario writes it."""
    if name in ("half_of_clicks_within", "sent_over", "punctuality", "start"):
        return ("−" if value < 0 else "") + duration_text(float(f"{abs(value):.0f}"))
    if name in ("click_spread", "passed_on"):
        return f"{value:.3g}"
    return f"{value:,.0f}"
