"""In: the kept windows of a run. Out: what the search of today makes of them, second by second: its phase, its dial, its estimate.

`python -m tests.bench.truth.replay FILE… [--every 4]`. The windows are those of the day: where the search now would have turned the dial
otherwise, its phases part from the recorded ones ("then" and "now"), and only its estimate may be compared.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import tempfile
from pathlib import Path

import numpy as np

from harness.analysis.search import PROFILES, Search
from harness.campaigns import plan_campaign
from harness.campaigns.moment import hardest
from harness.engine.wire import Outcome
from harness.scenario import load
from harness.scenario.catalog import samples
from tests.bench.truth.cases import CASES
from tests.bench.truth.kinds import LIMIT
from tests.bench.truth.trial import Record


def replay(record: Record, every: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = CASES[record.kind].scenario(Path(folder), "http://127.0.0.1:1", record.peak)
        scenario = load.load(file)
    moment = hardest(plan_campaign(scenario), scenario)
    search = Search(
        promises=scenario.promises,
        moment=moment,
        samples=samples(scenario),
        profile=PROFILES[record.profile],
        ceiling=None,
        seed=record.seed,
    )
    truth = f"{record.truth:.1f}" if record.truth else "none"
    print(f"\n{record.kind} #{record.seed}, truth {truth}, campaign's peak {record.peak:.1f}")
    told = {
        key: record.answered.get(key) for key in ("status", "visitors_per_second", "low", "high", "model", "cause", "first_step", "doubts")
    }
    print("then", told)
    print("   at   dial  in flight  p95 ms  late  failed  lag ms | then      | now       dial | estimate low high model")
    inside, orders = 0, {number: (phase, dial) for number, phase, dial in record.orders}
    now = "baseline"
    for window in record.windows:
        inside += len(window.sent) - len(window.done)
        order = None
        if now != "over":
            order = search.next(window)
            now = "over" if order.dial is None else order.phase
        then = orders.get(window.number, ("(drain)", None))[0]
        if window.number % every and now != "over":
            continue
        done = window.done
        latency = done["wait"] + done["total"]
        failed = (done["outcome"] > 0) & (done["outcome"] != Outcome.CUT_OFF)
        p95 = 1000 * float(np.quantile(latency, 0.95)) if len(done) else float("nan")
        lag = 1000 * float(np.quantile(window.lags, 0.99)) if len(window.lags) else 0.0
        point = search.breaking_point()
        low, middle, high = (value or float("nan") for value in (point.low, point.visitors_per_second, point.high))
        print(
            f"{window.at:5.1f} {window.dial:6.1f} {inside:10d} {p95:7.0f} {int((latency > LIMIT).sum()):5d} {int(failed.sum()):7d}"
            f" {lag:7.1f} | {then:9s} | {now:9s} {(order.dial if order and order.dial else 0):6.1f} |"
            f" {middle:6.1f} {low:6.1f} {high:6.1f} {point.model}"
        )
    print("now ", {key: getattr(search.breaking_point(), key) for key in told if key != "doubts"}, search.flags)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.truth.replay", description="Today's search on the windows of a kept run.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=2, help="print each so manyth window")
    given = parser.parse_args()
    for file in given.files:
        record = pickle.loads(file.read_bytes())
        if not isinstance(record, Record):
            sys.exit(f"{file} holds no record")
        replay(record, given.every)


if __name__ == "__main__":
    main()
