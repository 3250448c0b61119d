"""Whole builds, from packages of this environment: what is in a bundle, that it stays the same, what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.errors import Errors, SolidstateError
from solidstate.infra import bundle_build
from solidstate.infra.bundle_build import Built, build_bundle, write_machines
from solidstate.infra.bundle_manifest import read_manifest
from solidstate.infra.bundle_recipe import recipe_for
from solidstate.infra.bundle_settings import Choices, local_runtime
from tests.infra.bundles import offline_packages, project

FLOW = """
    from solidstate import pipeline, solid


    @solid
    def one() -> int:
        return 1


    @pipeline
    def flow():
        one()
"""
FORBIDDEN = {"moto", "rich", "pytest", "pip", "setuptools", "boto3", "botocore", "s3fs", "yaml", "awslambdaric"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No index is asked."""
    names = ("aws-lambda-powertools", "jmespath", "msgspec", "obstore", "python-dateutil")
    with offline_packages(tmp_path_factory.mktemp("wheels"), names):
        yield


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A bundle of the smallest pipeline."""
    folder = tmp_path_factory.mktemp("small")
    return built_from(folder, FLOW)


def built_from(folder: Path, source: str, requirements: str = "", **choices: object) -> Built:
    target = project(folder / "code", source, f"flow_{folder.name.replace('-', '_')}.py")
    (folder / "code" / "requirements.txt").write_text(requirements)
    recipe = recipe_for([target], Choices(runtime=local_runtime(), **choices))  # type: ignore[arg-type]  # by name
    return build_bundle(recipe, folder / "lambda", folder / "lambda.zip")


def test_it_holds_what_runs_and_nothing_else(built: Built) -> None:
    """Code, plan, manifest, our modules, their packages; no command line, no tests, no tools."""
    tops = {path.name.partition("-")[0].partition(".")[0] for path in built.folder.iterdir()}
    assert {"solidstate", "plans", "msgspec", "aws_lambda_powertools", "jmespath"} <= tops
    assert tops & FORBIDDEN == set()
    assert not (built.folder / "solidstate" / "cli").exists()
    assert not (built.folder / "solidstate" / "infra").exists()
    assert [path for path in built.folder.rglob("*") if path.suffix in (".pyi", ".c") or path.name == "tests"] == []
    assert {path.name for path in built.folder.glob("*.dist-info/*")} <= {"METADATA", "entry_points.txt"}
    manifest = read_manifest(built.folder)
    assert manifest == built.manifest
    assert (list(manifest.targets), manifest.from_runtime) == (["flow"], ("boto3", "botocore", "s3transfer"))
    assert manifest.byte_code


def test_every_module_has_byte_code(built: Built) -> None:
    """The folder is read-only on Lambda."""
    for source in built.folder.rglob("*.py"):
        assert list((source.parent / "__pycache__").glob(f"{source.stem}.*.pyc")), source


def test_solidstate_s_own_share_is_below_a_megabyte(built: Built) -> None:
    """Zipped, byte code included."""
    (own,) = [share for share in built.shares if share.name == "solidstate"]
    assert own.zipped < 1_000_000
    assert {share.name for share in built.shares} >= {"your code", "msgspec", "aws-lambda-powertools"}
    assert sum(share.size for share in built.shares) == built.archived.size


def test_two_builds_give_identical_bytes(built: Built, tmp_path: Path) -> None:
    """As a zip, and as a folder."""
    again = build_bundle(
        recipe_for([str(next((built.folder.parent / "code").glob("flow_*.py")))], Choices(runtime=local_runtime())),
        tmp_path / "lambda",
        tmp_path / "lambda.zip",
    )
    assert again.archived.digest == built.archived.digest
    assert (tmp_path / "lambda.zip").read_bytes() == (built.folder.parent / "lambda.zip").read_bytes()
    assert not (built.folder.parent / "lambda.zip").read_bytes().count(str(tmp_path).encode())


def test_the_function_loads_from_the_bundle_alone(built: Built) -> None:
    """With the handler, its logger and the pipeline, in an interpreter that sees nothing else."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import solidstate.handler.entry, solidstate.handler.logs, json\n"
        "from solidstate.load import load_pipeline\n"
        "print(json.dumps([load_pipeline(sys.argv[2]).name, solidstate.__file__, sys.modules['msgspec'].__file__]))"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", script, str(built.folder), built.manifest.targets["flow"]]
    done = subprocess.run(command, cwd=built.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    name, *files = json.loads(done.stdout)
    assert name == "flow"
    assert all(Path(file).is_relative_to(built.folder) for file in files)


def test_what_a_layer_brings_is_left_out_with_what_only_it_needs(tmp_path: Path) -> None:
    """And the code may import it."""
    source = FLOW.replace("from solidstate", "import dateutil\n    from solidstate", 1)
    found = built_from(tmp_path, source, "python-dateutil", layer_provided=["python-dateutil"])
    assert {"python-dateutil", "six"}.isdisjoint(found.manifest.packages)
    assert found.manifest.layer == ("python-dateutil",)
    assert not (found.folder / "dateutil").exists()


def test_powertools_is_whole_for_who_asks_for_it(built: Built, tmp_path: Path) -> None:
    """Else only what our logger reaches is shipped."""
    asked = built_from(tmp_path, FLOW, "aws-lambda-powertools")
    assert (asked.folder / "aws_lambda_powertools" / "utilities" / "batch").is_dir()
    assert not (built.folder / "aws_lambda_powertools" / "utilities" / "batch").exists()


def test_an_import_that_finds_nothing_leaves_the_former_bundle(tmp_path: Path) -> None:
    """Nothing is half replaced."""
    (tmp_path / "one").mkdir()
    before = built_from(tmp_path / "one", FLOW)
    broken = FLOW.replace("from solidstate", "import pandas\n    from solidstate", 1)
    target = project(tmp_path / "two", broken, "flow_broken.py")
    with pytest.raises(Errors, match="imports `pandas`, which is not in the bundle"):
        build_bundle(recipe_for([target], Choices(runtime=local_runtime())), before.folder)
    assert read_manifest(before.folder) == before.manifest
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["code", "lambda", "lambda.zip"]


def test_a_bundle_that_is_too_large_names_the_largest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the two ways out."""
    monkeypatch.setattr(bundle_build, "MAX_UNZIPPED_BYTES", 100_000)
    with pytest.raises(SolidstateError) as caught:
        built_from(tmp_path, FLOW)
    problem = caught.value.problem
    assert problem.startswith("The bundle has ")
    assert "MB unzipped; Lambda takes 250 MB, layers included. Largest: `" in problem
    assert "`aws-lambda-powertools (" in problem
    assert caught.value.hint == (
        "take the largest from a layer (`--layer-provided NAME`), or deploy the function as a container image, "
        "which may have 10 GB"
    )
    assert not (tmp_path / "lambda").exists()


def test_code_and_packages_must_not_need_the_same_name(tmp_path: Path) -> None:
    """One would hide the other."""
    target = project(tmp_path / "code", FLOW, "flow_clash.py")
    (tmp_path / "code" / "flow_clash.py").write_text("import jmespath\n" + Path(target).read_text())
    (tmp_path / "code" / "jmespath.py").touch()
    with pytest.raises(SolidstateError) as caught:
        build_bundle(recipe_for([target], Choices(runtime=local_runtime())), tmp_path / "lambda")
    assert str(caught.value) == (
        "the code and its packages need the same names: Both your code and the package `jmespath` bring `jmespath`.\n"
        f"  at: {tmp_path / 'code' / 'jmespath.py'}\n  fix: rename yours"
    )


def test_a_pure_package_without_a_wheel_is_packed_as_it_is_installed(tmp_path: Path) -> None:
    """`fsspec` is not among the wheels of this test."""
    found = built_from(tmp_path, FLOW, "fsspec")
    assert "fsspec" in found.manifest.packages
    assert "packed as they are installed here, for want of wheels: `fsspec`" in found.remarks


def test_a_compiled_package_without_a_wheel_is_refused(tmp_path: Path) -> None:
    """What is installed here may not run there."""
    with pytest.raises(SolidstateError, match="There is no wheel of `frozenlist"):
        built_from(tmp_path, FLOW, "frozenlist")


def test_machines_are_written_beside(tmp_path: Path) -> None:
    """Under the names of their pipelines; those of an earlier build are gone."""
    recipe = recipe_for([project(tmp_path, FLOW, "flow_machines.py")], Choices())
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines" / "former.asl.json").touch()
    (written,) = write_machines(recipe, tmp_path / "machines")
    assert (written.name, json.loads(written.read_bytes())["StartAt"]) == ("flow.asl.json", "Start run")
