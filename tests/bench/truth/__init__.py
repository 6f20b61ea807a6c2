"""Servers whose breaking point is known before anybody measures it.

models → how a server behaves, in virtual time      kinds → the list of them: behaviour, promises, right answers
servers → a kind on real sockets, in its own process  capacity → a kind's true capacity by simulating those very models
stacks → nginx, gunicorn over SQLite, httpbin: servers nobody here wrote
process → starts any of them from a test or a benchmark; press → a closed crowd that saturates them
"""
