"""The live stream moves with the clock, as a player expects it to."""

from __future__ import annotations

import json
import re

from harness.demo import live

NOON = 1_796_212_800.0


def numbers(playlist: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"/live/segments/(\d+)\.ts", playlist)]


def test_the_playlist_moves_by_one_segment_every_target_duration() -> None:
    first, later = numbers(live.playlist(NOON)), numbers(live.playlist(NOON + 6))
    assert len(first) == 4
    assert later == [*first[1:], first[-1] + 1]
    assert numbers(live.playlist(NOON + 5.9)) == first


def test_the_playlist_is_a_live_media_playlist() -> None:
    """RFC 8216: target duration, a media sequence that names its first segment, no end tag."""
    lines = live.playlist(NOON).decode().splitlines()
    assert lines[0] == "#EXTM3U"
    assert "#EXT-X-TARGETDURATION:6" in lines
    assert f"#EXT-X-MEDIA-SEQUENCE:{numbers(live.playlist(NOON))[0]}" in lines
    assert not any(line.startswith("#EXT-X-ENDLIST") for line in lines)


def test_every_announced_segment_can_be_fetched_until_well_after_it_has_left_the_playlist() -> None:
    for number in numbers(live.playlist(NOON)):
        assert live.segment(number, NOON) is not None
        assert live.segment(number, NOON + 30) is not None
        assert live.segment(number, NOON + 90) is None


def test_a_segment_that_is_still_being_recorded_is_not_there_yet() -> None:
    assert live.segment(live.newest(NOON) + 1, NOON) is None


def test_a_segment_is_whole_packets_and_differs_from_its_neighbour() -> None:
    newest = live.newest(NOON)
    one, before = live.segment(newest, NOON), live.segment(newest - 1, NOON)
    assert one and before and one != before
    assert one == live.segment(newest, NOON + 3)
    assert len(one) == 24_064
    assert set(one[::188]) == {0x47}


def test_the_questions_change_with_the_clock() -> None:
    now, soon = (json.loads(live.questions(NOON + seconds))["questions"] for seconds in (0, 10))
    assert [question["id"] for question in soon[1:]] == [question["id"] for question in now[:-1]]
    assert soon[1]["votes"] > now[0]["votes"]
