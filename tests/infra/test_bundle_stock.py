"""The packages of a bundle: what is left out, what comes along, what is done without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import msgspec
import pytest

from solidstate.infra.bundle_install import Absent
from solidstate.infra.bundle_recipe import Recipe, recipe_for
from solidstate.infra.bundle_requirements import Wanted
from solidstate.infra.bundle_settings import Choices, local_runtime
from solidstate.infra.bundle_stock import Stocked, stock
from tests.infra.bundles import offline_packages, project

FLOW = """
    from solidstate import pipeline, solid


    @solid
    def one(context) -> int:
        return 1


    @pipeline
    def flow():
        one()
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No index is asked."""
    with offline_packages(tmp_path_factory.mktemp("wheels")):
        yield


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """Of the smallest pipeline."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield recipe_for([project(tmp_path / "code", FLOW, "flow_stock.py")], Choices(runtime=local_runtime()))
    sys.modules.pop("flow_stock", None)


def stocked(recipe: Recipe, tmp_path: Path) -> Stocked:
    for name in ("bundle", "scratch"):
        (tmp_path / name).mkdir()
    return stock(recipe, tmp_path / "bundle", tmp_path / "scratch")


def asking(recipe: Recipe, *names: str, optional: str = "") -> Recipe:
    """The same with more packages."""
    packages = recipe.packages
    wanted = (*packages.wanted, *(Wanted(name, name) for name in names))
    extra = (*packages.optional, *([Wanted(optional, optional)] if optional else []))
    return msgspec.structs.replace(recipe, packages=msgspec.structs.replace(packages, wanted=wanted, optional=extra))


def test_what_needs_boto3_finds_the_runtime_s(recipe: Recipe, tmp_path: Path) -> None:
    """It is not shipped, and neither is what only it needs."""
    found = stocked(asking(recipe, "s3transfer", "boto3"), tmp_path)
    assert {"boto3", "botocore", "s3transfer", "urllib3"}.isdisjoint(found.versions)
    assert found.versions["msgspec"] == metadata.version("msgspec")
    assert found.owners["msgspec"] == "msgspec"
    assert list((tmp_path / "bundle").glob("*elsewhere*")) == []


@pytest.mark.parametrize("name", ["s3fs", "aiobotocore"])
def test_what_works_with_one_botocore_alone_brings_it(recipe: Recipe, tmp_path: Path, name: str) -> None:
    """And boto3 with it, so that they fit together."""
    found = stocked(asking(recipe, name), tmp_path)
    assert {name: found.versions[name] for name in ("boto3", "botocore", "s3transfer")} == {
        name: metadata.version(name) for name in ("boto3", "botocore", "s3transfer")
    }
    assert "boto3 and botocore are shipped, because `aiobotocore` works with one version of them" in found.remarks


def test_what_may_be_left_out_is_left_out(recipe: Recipe, tmp_path: Path) -> None:
    """Where it has no wheel; the build goes on, and says so."""
    found = stocked(asking(recipe, optional="no-such-speed"), tmp_path)
    assert "no-such-speed" not in found.versions
    assert (
        f"There is no wheel of `no-such-speed` for {local_runtime()} on x86_64; it would make the function faster, and "
        "is left out"
    ) in found.remarks


def test_what_must_not_be_left_out_stops_the_build(recipe: Recipe, tmp_path: Path) -> None:
    """Nothing of it is in the bundle's folder then."""
    with pytest.raises(Absent, match="There is no wheel of `no-such-need`"):
        stocked(asking(recipe, "no-such-need"), tmp_path)
    assert list((tmp_path / "bundle").iterdir()) == []


@pytest.mark.parametrize("asked", [False, True])
def test_of_aiohttp_the_client_is_shipped(recipe: Recipe, tmp_path: Path, asked: bool) -> None:
    """s3fs needs no web server; a project that asks for aiohttp gets all of it."""
    wanted = asking(recipe, "s3fs")
    if asked:
        asks = msgspec.structs.replace(recipe.requirements, wanted=(Wanted("aiohttp", "aiohttp"),))
        wanted = msgspec.structs.replace(wanted, requirements=asks)
    stocked(wanted, tmp_path)
    shipped = {path.stem for path in (tmp_path / "bundle" / "aiohttp").glob("*.py")}
    assert {"client", "connector", "http_parser"} <= shipped
    assert ("web" in shipped) == ("worker" in shipped) == asked
    code = "import aiohttp, s3fs; aiohttp.ClientTimeout(); s3fs.S3FileSystem(anon=True)"
    subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path / "bundle", check=True, env={"PYTHONPATH": "."})
