"""A deployed function finds its pipelines, plans and bucket in its environment, or says what is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.handler.deployment import runtime_from_environment
from solidstate.planner.build import build_plan
from solidstate.planner.plan import encode_plan
from solidstate.storage.s3 import S3Store
from solidstate.storage.task_tokens import StepFunctionsTokens

SOURCE = """
from __future__ import annotations
from solidstate import pipeline, solid

@solid
def one() -> int:
    return 1

@pipeline
def shipped() -> None:
    one()
"""


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle as it is deployed, with the environment of its function."""
    (tmp_path / "shipped_flow.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shipped_flow", raising=False)
    import shipped_flow  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]  # made above

    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "shipped.json").write_bytes(encode_plan(build_plan(shipped_flow.shipped)))
    monkeypatch.setenv("SOLIDSTATE_PIPELINES", "shipped_flow:shipped")
    monkeypatch.setenv("SOLIDSTATE_BUCKET", "data")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.delenv("SOLIDSTATE_PLANS", raising=False)
    return tmp_path


def test_a_runtime_from_a_bundle(bundle: Path) -> None:
    """Pipelines by name, S3 below, Step Functions above, the engine called aws."""
    runtime = runtime_from_environment()
    assert list(runtime.pipelines) == ["shipped"]
    assert isinstance(runtime.store, S3Store)
    assert isinstance(runtime.tokens, StepFunctionsTokens)
    assert (repr(runtime.store), runtime.engine) == ("S3Store('s3://data/')", "aws")


@pytest.mark.parametrize("name", ["SOLIDSTATE_PIPELINES", "SOLIDSTATE_BUCKET"])
def test_a_missing_variable_is_named(bundle: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Unset and empty are the same."""
    monkeypatch.setenv(name, "")
    with pytest.raises(SolidstateError) as caught:
        runtime_from_environment()
    assert str(caught.value) == (
        f"The environment variable `{name}` is not set.\n  fix: deploy with the generated template.yaml"
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [(None, "[Errno 2] No such file or directory: '{path}'"), (b"{", "Input data was truncated")],
    ids=["missing", "broken"],
)
def test_a_plan_that_cannot_be_read(bundle: Path, body: bytes | None, reason: str) -> None:
    """Where it should be and how to get it."""
    path = bundle / "plans" / "shipped.json"
    path.unlink()
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(SolidstateError) as caught:
        runtime_from_environment()
    assert str(caught.value) == (
        f"The plan of pipeline `shipped` cannot be read: {reason.format(path=path)}.\n  at: {path}\n"
        "  fix: build the bundle again with `solidstate build`"
    )


def test_a_plan_of_other_steps_is_refused(bundle: Path) -> None:
    """Code and plan of different days would fail in the middle of a run."""
    path = bundle / "plans" / "shipped.json"
    path.write_bytes(path.read_bytes().replace(b'"name":"one"', b'"name":"two"'))
    with pytest.raises(SolidstateError) as caught:
        runtime_from_environment()
    assert str(caught.value) == (
        "The plan of pipeline `shipped` was made from other code: it has `two`, the code has `one`.\n"
        f"  at: {path}\n  fix: build the bundle again with `solidstate build`"
    )
