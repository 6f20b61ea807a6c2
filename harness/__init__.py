"""Surge: from a campaign in marketing's words to the number of visitors its site can take.

The rooms follow one arrow, and each imports only what is to its left:

    scenario YAML → Scenario → ArrivalPlan → Locust user classes → surge → Windows → Findings → Result → report
    scenario/       scenario/  campaigns/    engine/               engine/            analysis/  result.py report/

`run.py` walks the arrow once for one run; `cli.py` is the only place that reads argv, prints or exits.
`demo/` is the small campaign site with a known capacity that a first run is pointed at; `safety.py` says who may be hit.
"""

__version__ = "0.1.0"
