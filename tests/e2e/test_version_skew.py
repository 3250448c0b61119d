"""A deployment in the middle of a run: the machine follows the older plan, the function holds the newer one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from solidstate import Materialization, StepContext, pipeline, solid
from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.planner.build import build_plan
from solidstate.storage.files import open_memory
from tests.cli.project import Project
from tests.stacks import deployed


@solid
def read() -> int:
    return 1


@solid
def slow(n: int) -> int:
    return n


@solid
def report(n: int) -> int:
    return n


@solid
def more(context: StepContext, n: int) -> int:
    context.emit(Materialization("more"))
    return n


@pipeline(name="sales")
def older() -> None:
    report(slow(read()))


@pipeline(name="sales")
def newer() -> None:
    more(report(slow(read())))


@pytest.mark.slow
def test_a_run_of_an_older_plan_ends_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was done is kept, the next step is refused at once and not repeated, and the run says what to do."""
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path, capsys)
    with deployed("skewed", [older]) as stack:
        stack.invoker.hold("slow")
        arn = stack.begin("sales", {}, "r", "slow")
        loaded = LoadedPipeline(newer, build_plan(newer))
        before = LoadedPipeline(older, build_plan(older))
        stack.invoker.handler = make_handler(Runtime([loaded], stack.store, engine="aws", open_fs=open_memory))
        stack.invoker.reset()
        stack.aws.wait(arn, timeout_s=30)
        shown = project.run("show", "r", "--stack", "skewed").out
        invoked = [
            json.loads(event["lambdaFunctionScheduledEventDetails"]["input"]).get("step")
            for event in stack.aws.history(arn)
            if event["type"] == "LambdaFunctionScheduled"
        ]
    assert invoked.count("slow") == 1
    rows = re.findall(r"^(ok|failed) +(\w+) +\d", shown, re.MULTILINE)
    assert [row for row in rows if row[1] != "in"] == [
        ("ok", "read"),
        ("failed", "slow"),
        ("failed", "report"),
    ]
    assert (
        "failed: slow\n"
        f"  PlanChanged: `slow`: the state machine follows plan {before.hash}, the function holds plan {loaded.hash}.\n"
        "  fix: deploy both together, then start a new run.\n"
    ) in shown
