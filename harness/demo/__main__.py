"""In: a command line. Out: the embedded site in the foreground, and an exit code: 0 told to stop, 2 cannot start.

`python -m harness.demo` prints one line of JSON when the site listens ({"url": …, "db": …}), for the process that started it;
`surge demo` calls `main` with `human=True` and prints sentences.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.demo.server import CannotStart, serve
from harness.demo.settings import Settings, SettingsError

_PARENT = "--parent="  # for Site alone: the process whose end is the site's end


def main(words: Sequence[str], *, human: bool = False) -> int:
    """Serve until told to stop."""
    parent = next((int(word.removeprefix(_PARENT)) for word in words if word.startswith(_PARENT)), None)
    try:
        settings = Settings.of([word for word in words if not word.startswith(_PARENT)])

        def announce(url: str, db: Path) -> None:
            if human:
                print(
                    "\n".join(
                        (f"The campaign site is at {url}", *settings.sentences(), f"Rows go to {db}; counts are at {url}/_demo/stats.")
                    )
                )
                print("Ctrl-C ends it.", flush=True)
            else:
                print(json.dumps({"url": url, "db": str(db)}), flush=True)

        serve(settings, announce, parent)
    except (SettingsError, CannotStart) as problem:
        print(f"surge demo: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
