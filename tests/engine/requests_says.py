"""What `requests` makes of a list of cases, as JSON on stdout: run in a process of its own, away from gevent. argv: base URL; stdin: the
cases."""

from __future__ import annotations

import hashlib
import json
import sys

import requests


def main() -> None:
    base = sys.argv[1]
    found = {}
    for case in json.load(sys.stdin):
        session = requests.Session()
        session.max_redirects = 10
        session.headers.clear()
        hops, body = [], b""
        try:
            for path in case.get("before", []):
                session.get(base + path)
            options = {key: case[key] for key in ("data", "json", "headers") if key in case}
            answer = session.request(case["method"], base + case["path"], timeout=20, **options)
            hops = [hop.status_code for hop in (*answer.history, answer)]
            body, url, failed = answer.content, answer.url[len(base) :], False
        except requests.TooManyRedirects as error:
            hops, url, failed = [hop.status_code for hop in (*error.response.history, error.response)], "", True
        except requests.RequestException:  # it broke off
            hops, url, failed = [], "", True
        cookies = sorted((c.name, c.value, c.path) for c in session.cookies)
        text = body.decode("utf-8", "replace")
        found[case["name"]] = {
            "hops": hops,
            "url": url,
            "failed": failed,
            "cookies": [list(cookie) for cookie in cookies],
            "body": text if len(text) < 3000 else hashlib.sha256(body).hexdigest(),
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
