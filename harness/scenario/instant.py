"""In: a clock time as people write it ("2026-12-03 15:00 Europe/London"). Out: an aware datetime, or a refusal that says what to write.

A time without a zone, a time that the clocks skip and a time that comes twice are refused: the launch must not move by an hour.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from harness.scenario.reading import quoted, refusal, words


def read_instant(value: object) -> datetime:
    """A clock time with its zone: "2026-12-03 15:00 Europe/London", "2026-12-03T15:00:00Z", "2026-12-03 15:00 +01:00"."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise refusal(f"{value:%Y-%m-%d %H:%M} names no time zone", f"write {value:%Y-%m-%d %H:%M} Europe/London")
        return value
    text = words(value, "a date and time", "2026-12-03 15:00 Europe/London")
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ]+(\d{1,2}:\d\d(?::\d\d)?)\s*(.*)", text)
    if found is None:
        raise refusal(f"{quoted(value)} is not a date and time", "write for example 2026-12-03 15:00 Europe/London")
    day, clock, zone = found.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{clock.rjust(8 if clock.count(':') == 2 else 5, '0')}")
    except ValueError as error:
        raise refusal(f"{day} {clock} does not exist ({error})", "write for example 2026-12-03 15:00 Europe/London") from None
    if not zone:
        raise refusal(f"{text} names no time zone", f"write {text} Europe/London, or the zone you mean")
    return _in_zone(local, zone)


def _in_zone(local: datetime, zone: str) -> datetime:
    if zone.upper() in ("Z", "UTC", "GMT"):
        return local.replace(tzinfo=UTC)
    if offset := re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?", zone):
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours > 14 or minutes > 59:
            raise refusal(f"{zone} is not an offset from UTC", "write for example +01:00")
        shift = timedelta(hours=hours, minutes=minutes)
        return local.replace(tzinfo=timezone(-shift if offset[1] == "-" else shift))
    from zoneinfo import ZoneInfo, available_timezones

    try:
        aware = local.replace(tzinfo=ZoneInfo(zone))
    except (KeyError, ValueError, OSError):
        from difflib import get_close_matches

        near = get_close_matches(zone, available_timezones(), 1)
        raise refusal(
            f"{zone} is not a time zone",
            f"did you mean {near[0]}?" if near else "write a zone such as Europe/London, or an offset such as +01:00",
        ) from None
    if aware.astimezone(UTC).astimezone(aware.tzinfo).replace(tzinfo=None) != local:
        raise refusal(
            f"{local:%Y-%m-%d %H:%M} does not exist in {zone}", "the clocks go forward over it: write a time before or after the change"
        )
    if aware.utcoffset() != aware.replace(fold=1).utcoffset():
        raise refusal(f"{local:%Y-%m-%d %H:%M} comes twice in {zone}", "the clocks go back over it: write the offset, such as +01:00")
    return aware
