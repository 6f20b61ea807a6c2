"""result.json is what other tools rely on: its shipped schema is current, and a file is whole or absent."""

import json
from pathlib import Path

import harness
from harness.result import Result

SHIPPED = Path(harness.__file__).with_name("result.schema.json")


def test_the_shipped_schema_is_the_one_of_the_models() -> None:
    """`surge schema --result > harness/result.schema.json` was run after the last change of the models."""
    assert json.loads(SHIPPED.read_text()) == Result.model_json_schema()


def test_the_names_of_the_contract_stand_in_the_schema() -> None:
    """These names hold from the first release on: renaming one breaks other people's tools."""
    schema = Result.model_json_schema()
    assert set(schema["properties"]) >= {
        "format", "run", "scenario", "target", "verdict", "campaign", "breaking_point", "levels", "promises", "losses", "advice", "doubts",
        "generator", "totals",
    }  # fmt: skip
    parts = schema["$defs"]
    names = {
        "Run": "id started seconds seed command versions",
        "ScenarioPart": "name type file sha256",
        "Target": "url",
        "CampaignPart": "visitors peak_visitors_per_second peak_at_seconds peak_concurrent_visitors",
        "BreakingPoint": "status visitors_per_second low high confidence requests_per_second concurrent_visitors headroom cause first_step"
        " recovered recovery_seconds",
        "Level": "visitors_per_second seconds held p50_ms p95_ms p99_ms error_rate requests",
        "PromisePart": "text limit measured unit verdict first_broken_at_seconds",
        "Doubt": "kind text remedy",
        "Generator": "healthy lag_p99_ms lost_workers workers",
        "Totals": "due started dropped completed failed abandoned cut_off requests requests_failed",
    }
    for part, fields in names.items():
        assert set(parts[part]["properties"]) >= set(fields.split()), part
