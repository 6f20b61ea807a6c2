"""Surge: from a campaign in marketing's words to the number of visitors its site can take.

The rooms follow one arrow, and each imports only what is to its left:

    scenario YAML → Scenario → ArrivalPlan → Locust user classes → surge → Windows → Findings → Result → report
    scenario/       scenario/  campaigns/    engine/               engine/            analysis/  result.py report/

In engine/, `fleet` is the parent's door to Locust, browser/ what goes on the wire, visitors/ what is compiled from journeys. In
analysis/, search/ finds the breaking point while the surge runs, the rest says what it means. To read first: `scenario/model.py`,
`campaigns/plan.py`, `engine/window.py`, `analysis/search/search.py`, `result.py`.

`run.py` walks the arrow once for one run; `cli.py` is the only place that reads argv, prints or exits.
`demo/` is the small campaign site with a known capacity that a first run is pointed at; `safety.py` says who may be hit.
"""

__version__ = "0.1.0"
