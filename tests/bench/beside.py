"""In: a site and a rate. Out: what k6 and a stock FastHttpUser report of it, each set up as its handbook says.

`python -m tests.bench.beside KIND OPTIONS` prints one line of JSON: p90 and p99 in s, and how many requests it made. For sites whose
trouble the usual set-ups do not see: a fixed pool of users or VUs stops sending while it waits.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.bench.generators import _k6

EACH = 10.0  # requests/s of one Locust user, who answers for its own pace
VUS = 50  # k6 prepares so many for 200 iterations/s: enough for answers within 250 ms

SCRIPT = """
import http from 'k6/http';
export const options = { summaryTrendStats: ['p(90)', 'p(99)'], scenarios: { s: { executor: 'constant-arrival-rate',
  rate: RATE, timeUnit: '1s', duration: 'SECONDSs', preAllocatedVUs: VUS, gracefulStop: '5s' } } };
export default function () { http.get('BASE/'); }
"""


def k6(base: str, rate: float, seconds: float) -> dict[str, float]:
    """Its constant arrival rate; what finds no free VU is dropped and stands in no percentile."""
    metrics = _k6(SCRIPT, base=base, rate=int(rate), seconds=int(seconds), vus=VUS)
    took = metrics["http_req_duration"]
    return {"p90": took["p(90)"] / 1000, "p99": took["p(99)"] / 1000, "requests": metrics["http_reqs"]["count"]}


def locust(base: str, rate: float, seconds: float) -> dict[str, float]:
    """As many users with a constant throughput as the rate needs; p90 and p99 from Locust's own statistics."""
    import gevent
    from locust import FastHttpUser, constant_throughput, task
    from locust.env import Environment

    class Stock(FastHttpUser):
        host = base
        wait_time = constant_throughput(EACH)

        @task
        def read(self) -> None:
            self.client.get("/")

    environment = Environment(user_classes=[Stock])
    runner: Any = environment.create_local_runner()
    runner.start(round(rate / EACH), spawn_rate=rate)
    gevent.sleep(seconds)
    runner.quit()
    total = environment.stats.total
    return {
        "p90": total.get_response_time_percentile(0.90) / 1000,
        "p99": total.get_response_time_percentile(0.99) / 1000,
        "requests": total.num_requests,
    }


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
