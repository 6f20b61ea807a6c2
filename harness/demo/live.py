"""In: the wall clock, in seconds. Out: the live stream at that moment: media playlist, segments, questions. Pure.

The playlist follows RFC 8216 (HTTP Live Streaming): target duration 6 s, a window of four segments, no end. A segment is announced
once it is complete. Its bytes are transport stream packets (188 bytes, sync byte 0x47) with a payload that differs from segment to
segment, and no picture: players count bytes here, nobody looks.
"""

from __future__ import annotations

import json
from random import Random

TARGET_DURATION = 6
WINDOW = 4  # segments in the playlist
KEPT = 10  # segments that are still served; older ones are 404
PACKETS = 128  # a segment: 24,064 bytes
QUESTION_EVERY = 10  # seconds
_NOISE = Random(188).randbytes(188 * PACKETS * 2)
_ASKED = (
    "Does it fit an induction hob?",
    "How long does it stay warm?",
    "Will there be a smaller one?",
    "What is the handle made of?",
    "Can the lid go in the dishwasher?",
    "When does it ship to Ireland?",
    "Is the recording available afterwards?",
    "What does the guarantee cover?",
    "Which tea are you drinking?",
    "Does the whistle come off?",
)


def newest(now: float) -> int:
    """Number of the newest complete segment."""
    return int(now // TARGET_DURATION) - 1


def playlist(now: float) -> bytes:
    """The media playlist at `now`."""
    last = newest(now)
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{TARGET_DURATION}", f"#EXT-X-MEDIA-SEQUENCE:{last - WINDOW + 1}"]
    for number in range(last - WINDOW + 1, last + 1):
        lines += [f"#EXTINF:{TARGET_DURATION:.3f},", f"/live/segments/{number}.ts"]
    return ("\n".join(lines) + "\n").encode()


def segment(number: int, now: float) -> bytes | None:
    """The bytes of a segment; None when it is not there yet or not there any more."""
    age = newest(now) - number
    if not 0 <= age < KEPT:
        return None
    start = number * 7919 % (188 * PACKETS)
    noise = memoryview(_NOISE)[start:]
    return b"".join(b"\x47\x40\x00%c" % (0x10 | i & 0x0F) + noise[i * 184 : i * 184 + 184] for i in range(PACKETS))


def questions(now: float) -> bytes:
    """The newest five questions as JSON, newest first, with votes that grow with their age."""
    latest = int(now // QUESTION_EVERY)
    feed = [
        {"id": number, "text": _ASKED[number % len(_ASKED)], "votes": int((now - number * QUESTION_EVERY) // 2) + number % 7}
        for number in range(latest, latest - 5, -1)
    ]
    return json.dumps({"at": int(now), "questions": feed}).encode()
