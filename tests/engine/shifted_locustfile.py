"""The plain locustfile on a machine whose clock is two minutes ahead: worker 2 of the fleet."""

from __future__ import annotations

import os
import time

if os.environ.get("SURGE_SHARD") == "1":
    _true = time.monotonic
    time.monotonic = lambda: _true() + 120.0

from plain_locustfile import *  # noqa: F403
