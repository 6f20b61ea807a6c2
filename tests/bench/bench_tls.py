"""Fresh visitors/s of one core over TLS (a full handshake each, certificate verified), against FastHttpUser with one shared context.

A second row of the same rounds, by the generator's own CPU time, which a busy machine changes less. Most of it is OpenSSL's on both sides.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

import trustme

from tests.bench.ground import highest, in_turn, row, target


def main() -> int:
    """In turn, on nginx with a certificate of an authority of our own."""
    authority = trustme.CA()
    costs: tuple[list[float], list[float]] = ([], [])
    issued = authority.issue_cert("127.0.0.1")  # an address: no side spends its time on look-ups
    with tempfile.TemporaryDirectory() as folder:
        trusted, chain, key = (Path(folder) / name for name in ("ca.pem", "chain.pem", "key.pem"))
        authority.cert_pem.write_to_path(str(trusted))
        issued.private_key_pem.write_to_path(str(key))
        for number, blob in enumerate(issued.cert_chain_pems):
            blob.write_to_path(str(chain), append=number > 0)
        with target(port=18443, certificate=(chain, key)) as base:
            ours, stock = in_turn(
                int(os.environ.get("ROUNDS", "3")),
                lambda: highest("surge", 300, costs[0], base=base, authorities=str(trusted)),
                lambda: highest("fast", 150, costs[1], base=base, authorities=str(trusted)),
            )
    missed = row("fresh TLS visitors", ours, {"FastHttpUser, shared context": (stock, 1.5)}, "visitors/s")
    by_cpu = [1 / statistics.median(side) for side in costs]
    row("the same for each second of CPU time", by_cpu[0], {"FastHttpUser, shared context": (by_cpu[1], 1.5)}, "visitors")
    return missed


if __name__ == "__main__":
    sys.exit(main())
