"""Which bundle a local run uses, and that it is of this code and for this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from solidstate.errors import EngineError, SolidstateError
from solidstate.infra import local_bundle as module
from solidstate.infra.bundle_manifest import Manifest, encode_manifest
from solidstate.infra.bundle_place import MANIFEST
from solidstate.infra.bundle_recipe import Recipe
from solidstate.infra.bundle_settings import local_runtime
from solidstate.infra.home import Home
from solidstate.infra.local_bundle import collect_lines, local_architecture, local_bundle
from tests.infra.bundles import project

FLOW = """
    from solidstate import pipeline, solid


    @solid
    def one() -> int:
        return 1


    @pipeline
    def flow():
        one()
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux")


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A project's pipeline, forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield project(tmp_path / "code", FLOW, "flow_local.py")
    sys.modules.pop("flow_local", None)


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Recipe]:
    """What was built. Packages are not installed: other tests do."""
    made: list[Recipe] = []

    def build(recipe: Recipe, folder: Path) -> None:
        made.append(recipe)
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in recipe.code.files.items():
            (folder / name).write_bytes(source.read_bytes())
        (folder / MANIFEST).write_bytes(encode_manifest(manifest(recipe)))

    monkeypatch.setattr(module, "build_bundle", build)
    return made


def manifest(recipe: Recipe) -> Manifest:
    return Manifest(
        solidstate="0",
        runtime=recipe.settings.runtime,
        arch=recipe.settings.arch,
        targets={found.definition.name: found.target for found in recipe.pipelines},
        plans={},
        packages={},
        layer=(),
        from_runtime=(),
        byte_code=True,
        inputs=recipe.inputs,
    )


def test_a_bundle_is_built_once_and_again_when_the_code_changes(
    tmp_path: Path, target: str, builds: list[Recipe]
) -> None:
    """Into the home, for this machine."""
    home = Home(tmp_path / "home")
    said: list[str] = []
    bundle = local_bundle(target, home, None, said.append)
    assert bundle == tmp_path / "home" / "bundles" / "flow"
    assert (builds[0].settings.runtime, builds[0].settings.arch) == (local_runtime(), local_architecture())
    assert local_bundle(target, home, None, said.append) == bundle
    assert len(builds) == 1
    (tmp_path / "code" / "flow_local.py").write_text((tmp_path / "code" / "flow_local.py").read_text() + "\n# more\n")
    local_bundle(target, home, None, said.append)
    assert len(builds) == 2
    assert said == ["building the bundle, which is kept until code or packages change"] * 2


def refusal(target: str, home: Home, bundle: Path) -> str:
    with pytest.raises(SolidstateError) as caught:
        local_bundle(target, home, bundle, print)
    return str(caught.value)


def test_a_given_bundle_must_fit(tmp_path: Path, target: str, builds: list[Recipe]) -> None:
    """This machine, the pipeline, and the code as it is now."""
    home = Home(tmp_path / "home")
    bundle = local_bundle(target, home, None, print)
    assert local_bundle(target, home, bundle, print) == bundle
    again = f"`solidstate build {target} --runtime {local_runtime()} --arch {local_architecture()}`"
    good = manifest(builds[0])
    cases = [
        (
            msgspec.structs.replace(good, runtime="python3.99"),
            f"is for python3.99 on {good.arch}, but this machine runs {good.runtime} on {good.arch}",
        ),
        (msgspec.structs.replace(good, targets={"a": "m:a", "b": "m:b"}), "has no pipeline `flow`; it has `a`, `b`"),
    ]
    for changed, problem in cases:
        (bundle / MANIFEST).write_bytes(encode_manifest(changed))
        assert refusal(target, home, bundle) == f"The bundle `{bundle}` {problem}.\n  fix: build it with {again}"
    (bundle / MANIFEST).write_bytes(encode_manifest(good))
    (bundle / "flow_local.py").write_text("# former\n")
    assert refusal(target, home, bundle) == (
        f"The bundle `{bundle}` is older than the code: `flow_local.py` has changed since it was built.\n"
        f"  fix: build it with {again}"
    )
    assert refusal(target, home, tmp_path).startswith(f"`{tmp_path}` is no bundle: ")


def test_other_systems_cannot_run_lambda_s_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for Linux."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(EngineError) as caught:
        local_bundle("flow.py", Home(tmp_path), None, print)
    assert str(caught.value) == (
        "AWS's runtime client runs on Linux only, so that `--lambda runtime` does too.\n"
        "  fix: leave `--lambda runtime` out, or run in a container of Linux"
    )


def test_log_lines_of_all_environments_are_put_in_order(tmp_path: Path) -> None:
    """What Lambda writes, and what is printed, stays in the streams."""
    (tmp_path / "001.log").write_text(
        'START RequestId: x\n{"timestamp": "2026-01-01 00:00:03", "run": "r", "message": "third"}\n{"a": 1}\n{broken\n'
    )
    (tmp_path / "002.log").write_text(
        '{"timestamp": "2026-01-01 00:00:02", "run": "r", "message": "second"}\nprinted\n[1]\n'
    )
    target = tmp_path / "r.ndjson"
    target.write_text("first\n")
    collect_lines(tmp_path, target)
    assert target.read_text() == (
        'first\n{"timestamp": "2026-01-01 00:00:02", "run": "r", "message": "second"}\n'
        '{"timestamp": "2026-01-01 00:00:03", "run": "r", "message": "third"}\n'
    )
