"""In: the models. Out: the keys that an author may write in each block, and what people write instead of them."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from harness.scenario import model
from harness.scenario.campaign import CAMPAIGNS, Entry, Measured

STEPS: dict[str, type[model.Step]] = {"get": model.Get, "post": model.Post, "page": model.Page, "think": model.Think, "watch": model.Watch}
VERBS = {
    **dict.fromkeys(("visit", "open", "goto", "load", "url"), "page"),
    **dict.fromkeys(("wait", "pause", "sleep", "read"), "think"),
    **dict.fromkeys(("submit", "send", "put", "patch"), "post"),
    **dict.fromkeys(("request", "fetch"), "get"),
    **dict.fromkeys(("view", "stream", "play", "live", "video"), "watch"),
}
TYPES = {
    **dict.fromkeys(("email", "mail", "newsletter", "mailing", "blast"), "email_blast"),
    **dict.fromkeys(("webinar", "live", "stream", "event"), "webcast"),
    **dict.fromkeys(("viral", "social", "post", "spike"), "viral_spike"),
    **dict.fromkeys(("sale", "drop", "launch"), "flash_sale"),
    **dict.fromkeys(("csv", "curve", "analytics"), "measured"),
    **dict.fromkeys(("campaigns", "several"), "calendar"),
}
SYNONYMS = {
    **dict.fromkeys(("sla", "slo", "slos", "thresholds", "goals", "limits"), "promises"),
    **dict.fromkeys(("recipients", "subscribers", "addresses", "mails", "emails", "list"), "list_size"),
    **dict.fromkeys(("registered", "registrations", "sign_ups", "signups"), "registrants"),
    **dict.fromkeys(("visitors", "viewers", "seeds", "clicks"), "seed_visitors"),
    **dict.fromkeys(("viral", "viral_factor", "r", "reproduction"), "passed_on"),
    **dict.fromkeys(("start", "date", "when", "at", "time"), "starts"),
    **dict.fromkeys(("duration", "lasts"), "for"),
    **dict.fromkeys(("expect", "assert", "verify", "validate"), "check"),
    **dict.fromkeys(("capture", "save", "store"), "extract"),
    **dict.fromkeys(("data", "fields", "params"), "form"),
    **dict.fromkeys(("body", "payload"), "json"),
    **dict.fromkeys(("weight", "percentage", "percent"), "share"),
    **dict.fromkeys(("interval", "each"), "every"),
    **dict.fromkeys(("host", "site", "base_url", "address"), "url"),
    **dict.fromkeys(("flows", "users", "visits", "user_journeys"), "journeys"),
    **dict.fromkeys(("requests", "actions", "tasks"), "steps"),
    **dict.fromkeys(("order_value", "basket", "price"), "value"),
    **dict.fromkeys(("title",), "name"),
}  # what other tools and other people call our keys
# Filled in by the loader, never written: a step's line, the rows of a CSV, the campaign of another scenario.
_FILLED: dict[type[model.Model], set[str]] = {Entry: {"campaign"}, Measured: {"points"}, model.Scenario: {"file"}}
_OPENED = {"kind", "url", "pause"}  # of a step: said by its first key
_SHAPED = {"campaign", "promises", "journeys", "steps", "check", "extract", "meanwhile"}  # opened by name, not by model


@cache
def written_keys(kind: type[model.Model]) -> list[str]:
    """The keys that an author may write in a block of this model, in the order of the model."""
    hidden = {"line"} | (_OPENED if issubclass(kind, model.Step) else set()) | _FILLED.get(kind, set())
    return [info.alias or name for name, info in kind.model_fields.items() if name not in hidden]


@cache
def inner_model(kind: type[model.Model], key: str) -> type[model.Model] | None:
    """The model of the block (or of each block of the list) under this key; None for plain values and for what has a short form."""
    if key in _SHAPED:
        return None
    info = kind.model_fields.get(key)
    return _model_in(info.annotation) if info else None


def _model_in(annotation: Any) -> type[model.Model] | None:
    if isinstance(annotation, type) and issubclass(annotation, model.Model):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def home(key: str) -> str | None:
    """Where a key would stand that is known elsewhere: "under target"."""
    places: dict[str, type[model.Model]] = {
        "at the top of the file": model.Scenario,
        "under target": model.Target,
        "under business": model.Business,
    }
    for where, kind in places.items():
        if key in written_keys(kind):
            return where
    for name, kind in CAMPAIGNS.items():
        if key in written_keys(kind):
            return f"under campaign, of type {name}"
    if key in written_keys(model.Journey):
        return "in a journey"
    return next((f"in a {name} step" for name, kind in STEPS.items() if key in written_keys(kind)), None)
