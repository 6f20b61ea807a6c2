"""Servers whose breaking point is known before anybody measures it.

models → how a server behaves, in virtual time      kinds → the list of them: behaviour, promises, right answers
servers → a kind on real sockets, in its own process  capacity → a kind's true capacity by simulating those very models
stacks → nginx, gunicorn over SQLite, httpbin, PostgreSQL behind a small pool: servers nobody here wrote
cases → all of them, as they are surged; trial → one surge; ramp, tuned → k6 and tuned ramps in its place; judged, table → what came of it
process → starts any of them from a test or a benchmark; press → a closed crowd that saturates them
"""
