"""The demo as a whole: its figures are right, its files are there, it runs in each mode and loads by either target."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pandas as pd
import pytest
from flights.headlines import Headlines, headline_lines
from flights.pipeline import flights

from solidstate import PipelineResult, RequestErrors, execute_pipeline
from solidstate.planner.build import build_plan

ROOT = Path(__file__).resolve().parents[2]
FILES = ["delays.png", "delays.parquet", "headlines.json", "report.html", "quarantined.parquet"]


def reports_in(folder: Path) -> dict[str, Any]:
    return {"reports": {"config": {"folder": str(folder)}}}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[PipelineResult, Path]:
    """One run of the preset, and the folder it wrote to."""
    folder = tmp_path_factory.mktemp("reports")
    return execute_pipeline(flights, {"preset": "sample", "resources": reports_in(folder)}), folder


def assert_same(found: Any, expected: Any, at: str = "$") -> None:
    """Equal, floats to 1e-9."""
    if isinstance(expected, dict):
        assert sorted(found) == sorted(cast("dict[str, Any]", expected)), at
        for key, value in cast("dict[str, Any]", expected).items():
            assert_same(found[key], value, f"{at}.{key}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=0, abs=1e-9), at
    else:
        assert found == expected, at


def test_sample_figures(sample: tuple[PipelineResult, Path], by_hand: Callable[[int], dict[str, Any]]) -> None:
    """The preset's figures equal those of a straight pandas script."""
    assert_same(msgspec.to_builtins(sample[0].output("find_headlines")), by_hand(1))


def test_full_figures(tmp_path: Path, by_hand: Callable[[int], dict[str, Any]]) -> None:
    """The figures of all 336,776 flights equal those of a straight pandas script, and ten of them are shown."""
    run = execute_pipeline(flights, {"mode": "local", "resources": reports_in(tmp_path)})
    found: Headlines = run.output("find_headlines")
    assert found.flights == 336_776
    assert_same(msgspec.to_builtins(found), by_hand(12))
    assert len(headline_lines(found)) == 10
    unmet = {
        event.label
        for step in run.summary.steps
        for event in run.result_for_solid(step.step).expectations
        if not event.success
    }
    assert unmet == {"flights.speed_range", "flights.dest_known", "weather.wind_range"}


def test_files(sample: tuple[PipelineResult, Path]) -> None:
    """Every file is in the folder, finished, and recorded as a Materialization with its path and size."""
    run, folder = sample
    recorded = {
        event.path: event.metadata
        for step in run.summary.steps
        for event in run.result_for_solid(step.step).materializations
    }
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert {path: facts["bytes"] for path, facts in recorded.items()} == {
        (folder / name).as_posix(): (folder / name).stat().st_size for name in FILES
    }
    assert (folder / "delays.png").read_bytes() == run.output("draw_picture")
    table = pd.read_parquet(folder / "delays.parquet")
    assert recorded[(folder / "delays.parquet").as_posix()]["rows"] == len(table)
    assert table.groupby("by")["arrivals"].sum()["carrier"] == 27_004 - run.output("find_headlines").quarantined
    saved = msgspec.json.decode((folder / "headlines.json").read_bytes(), type=Headlines)
    assert saved == run.output("find_headlines")


def test_quarantined_file(sample: tuple[PipelineResult, Path]) -> None:
    """The rows set aside are kept with the reason."""
    run, folder = sample
    rows = pd.read_parquet(folder / "quarantined.parquet")
    assert rows["reason"].value_counts().to_dict() == run.output("screen_flights", "counts").quarantined
    assert len(rows) == 606


def test_nothing_to_quarantine(folder: Path) -> None:
    """When no row is bad the optional output stays out, and what would keep the rows is skipped."""
    config = {"config": {"folder": str(folder)}}
    solids = {"read_flights": config, "read_weather": config, "read_lookups": config}
    request = {
        "mode": "local",
        "solids": {
            **solids,
            "screen_flights": {"config": {"min_rows": 1}},
            "find_headlines": {"config": {"min_arrivals": 1}},
        },
        "resources": reports_in(folder / "out"),
    }
    run = execute_pipeline(flights, request)
    assert [step.step for step in run.summary.steps if step.status != "success"] == ["keep_quarantined"]
    assert run.result_for_solid("keep_quarantined").skipped
    page = (folder / "out" / "report.html").read_text()
    assert "Bold &amp; &lt;script&gt;" in page
    assert "<script" not in page
    assert "13 met, 0 not" in page


def test_shape() -> None:
    """The breakdown by hour waits for the flights alone, the join for flights and weather: the graph has an N."""
    plan = build_plan(flights)
    assert plan.step("delays_by_hour").upstream() == ("screen_flights",)
    assert plan.step("join_weather").upstream() == ("screen_flights", "screen_weather")
    assert plan.step("find_headlines").upstream() == (
        "screen_flights",
        "delays_by_carrier",
        "delays_by_destination",
        "delays_by_hour",
        "delays_by_wind",
    )


def test_prod_mode() -> None:
    """In mode `prod` the same solids write to the bucket that config names."""
    request = {"preset": "sample", "mode": "prod", "resources": {"reports": {"config": {"url": "s3://bucket/late/"}}}}
    run = execute_pipeline(flights, request)
    (picture,) = run.result_for_solid("draw_picture").materializations
    assert picture.path == "s3://bucket/late/delays.png"


def test_prod_needs_a_url() -> None:
    """Mode `prod` without its bucket is refused before anything runs."""
    with pytest.raises(RequestErrors) as caught:
        execute_pipeline(flights, {"mode": "prod"})
    assert str(caught.value) == (
        "Run request for pipeline `flights`: Missing required field `url` of type `str matching ^s3://[^/]+`.\n"
        "  at: resources.reports.config.url\n"
        '  fix: add it, for example `{"resources":{"reports":{"config":{"url":"..."}}}}`'
    )


def test_months_out_of_range() -> None:
    """A year has twelve months."""
    request = {"preset": "sample", "solids": {"read_flights": {"config": {"months": 13}}}}
    with pytest.raises(RequestErrors) as caught:
        execute_pipeline(flights, request)
    assert str(caught.value) == (
        "Run request for pipeline `flights`: Expected `int >= 1 and <= 12`, got 13.\n"
        "  at: solids.read_flights.config.months\n"
        "  fix: for example `1`"
    )


@pytest.mark.parametrize(
    ("target", "folder"),
    [("examples/flights/pipeline.py:flights", ROOT), ("flights.pipeline:flights", ROOT / "examples")],
)
def test_targets(target: str, folder: Path) -> None:
    """The demo loads by its file from anywhere, and by its module's name from the folder it is in."""
    code = f"from solidstate.load import load_pipeline; print(len(load_pipeline({target!r}).nodes))"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (str(len(flights.nodes)), "")


def test_headlines_as_a_script(sample: tuple[PipelineResult, Path]) -> None:
    """The headlines of a run can be printed from the file it left."""
    script = ROOT / "examples" / "flights" / "headlines.py"
    file = sample[1] / "headlines.json"
    done = subprocess.run([sys.executable, str(script), str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "Flights                27,004"
    assert len(done.stdout.splitlines()) == 10
    assert json.loads(file.read_text())["flights"] == 27_004
