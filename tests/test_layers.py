"""Imports go one way, the Lambda function stays light, planning stays pure: as contracts, and as what gets loaded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LOADED_BY_THE_LAMBDA = [
    "solidstate",
    "solidstate.bodies",
    "solidstate.composite_checks",
    "solidstate.composite_ports",
    "solidstate.composites",
    "solidstate.composition",
    "solidstate.config",
    "solidstate.declarations",
    "solidstate.errors",
    "solidstate.events",
    "solidstate.expectations",
    "solidstate.handler",
    "solidstate.handler.acquire",
    "solidstate.handler.attempt",
    "solidstate.handler.awaiting",
    "solidstate.handler.boundary",
    "solidstate.handler.committed",
    "solidstate.handler.context",
    "solidstate.handler.digest",
    "solidstate.handler.dynamic",
    "solidstate.handler.endings",
    "solidstate.handler.entry",
    "solidstate.handler.hooks",
    "solidstate.handler.hushing",
    "solidstate.handler.inputs",
    "solidstate.handler.lifelines",
    "solidstate.handler.loggers",
    "solidstate.handler.outcome",
    "solidstate.handler.outputs",
    "solidstate.handler.pauses",
    "solidstate.handler.plain",
    "solidstate.handler.recorder",
    "solidstate.handler.rendezvous",
    "solidstate.handler.repeats",
    "solidstate.handler.runtime",
    "solidstate.handler.step",
    "solidstate.handler.tries",
    "solidstate.handler.type_io",
    "solidstate.handler.upstream",
    "solidstate.handler.verdicts",
    "solidstate.handles",
    "solidstate.hooks",
    "solidstate.output_options",
    "solidstate.permissions",
    "solidstate.pipeline",
    "solidstate.pipeline_checks",
    "solidstate.planner",
    "solidstate.planner.contract",
    "solidstate.planner.plan",
    "solidstate.policies",
    "solidstate.redaction",
    "solidstate.resources",
    "solidstate.secret",
    "solidstate.selector",
    "solidstate.signature",
    "solidstate.solid",
    "solidstate.storage",
    "solidstate.storage.annotations",
    "solidstate.storage.attempts",
    "solidstate.storage.codecs",
    "solidstate.storage.commits",
    "solidstate.storage.frames",
    "solidstate.storage.keys",
    "solidstate.storage.models",
    "solidstate.storage.plain_leaves",
    "solidstate.storage.plain_values",
    "solidstate.storage.records",
    "solidstate.storage.refusals",
    "solidstate.storage.remembered",
    "solidstate.storage.sameness",
    "solidstate.storage.sink",
    "solidstate.storage.store",
    "solidstate.storage.typed_values",
    "solidstate.type_checks",
    "solidstate.type_conflicts",
    "solidstate.type_options",
    "solidstate.type_variables",
    "solidstate.types",
]
"""Every module of ours that the function's entry loads before the first invocation. A new one costs each cold start:
add it here when that is meant."""

LOADED_LATER = [
    "solidstate.handler.deployment",
    "solidstate.handler.live_events",
    "solidstate.handler.logs",
    "solidstate.load",
    "solidstate.storage.s3_choice",
    "solidstate.storage.s3_settings",
    "solidstate.storage.task_tokens",
]
"""What the first invocation adds."""

LOADED_BY_A_RUN = [
    "solidstate.acceptance",
    "solidstate.composite_request",
    "solidstate.config_errors",
    "solidstate.configured_types",
    "solidstate.documents",
    "solidstate.evaluate",
    "solidstate.handler.end",
    "solidstate.handler.items",
    "solidstate.handler.mapped",
    "solidstate.handler.reuse",
    "solidstate.handler.start",
    "solidstate.hiding",
    "solidstate.presets",
    "solidstate.request",
    "solidstate.selection",
    "solidstate.storage.history",
]
"""What Start run and End run add; no step needs it."""

MAX_MODULES = 200
"""Modules of all kinds, Python's own included, that ``solidstate.handler.entry`` may load beyond a bare interpreter."""

FORBIDDEN = {
    "aiobotocore",
    "aiohttp",
    "asyncio",
    "flask",
    "fsspec",
    "matplotlib",
    "moto",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "rich",
    "s3fs",
    "yaml",
}


def loaded_by(*names: str) -> list[str]:
    """All modules that importing these loads, in an interpreter of its own."""
    script = "import sys, json; before = set(sys.modules)\n"
    script += "".join(f"import {name}\n" for name in names)
    script += "print(json.dumps(sorted(set(sys.modules) - before)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    modules: list[str] = json.loads(done.stdout)
    return modules


def ours(modules: list[str]) -> list[str]:
    return [name for name in modules if name.partition(".")[0] == "solidstate"]


def test_the_lambda_loads_these_modules() -> None:
    """The function loads the modules it needs and no other; whoever adds one is asked whether it has to be."""
    assert ours(loaded_by("solidstate.handler.entry")) == LOADED_BY_THE_LAMBDA


def test_the_first_invocation_loads_little_more() -> None:
    """What a deployed function loads late is its own deployment, not the local engine or the compiler."""
    both = ours(loaded_by("solidstate.handler.entry", "solidstate.handler.deployment"))
    assert sorted(set(both) - set(LOADED_BY_THE_LAMBDA)) == LOADED_LATER


def test_start_and_end_of_a_run_load_the_rest() -> None:
    """Validating a request and summing up a run are the business of two invocations a run."""
    every = ours(
        loaded_by(*(f"solidstate.handler.{name}" for name in ("entry", "deployment", "start", "items", "end")))
    )
    assert sorted(set(every) - set(LOADED_BY_THE_LAMBDA) - set(LOADED_LATER)) == LOADED_BY_A_RUN


def test_the_lambda_loads_no_heavy_library() -> None:
    """Frames, S3 file systems and everything local stay out of a function that has not asked for them."""
    modules = loaded_by("solidstate.handler.entry", "solidstate.handler.deployment")
    assert {name.partition(".")[0] for name in modules} & FORBIDDEN == set()


def test_the_lambda_stays_small() -> None:
    """The number of modules is a measure of cold starts that does not depend on the machine."""
    assert len(loaded_by("solidstate.handler.entry", "solidstate.handler.deployment")) <= MAX_MODULES


def test_planning_loads_no_aws() -> None:
    """A plan can be made and compiled where boto3 is not even installed."""
    modules = loaded_by("solidstate.planner.build", "solidstate.planner.compile")
    assert {name.partition(".")[0] for name in modules} & {"boto3", "botocore", *FORBIDDEN} == set()


def lint(root: Path) -> tuple[int, str]:
    """Exit code and text of import-linter over a checkout."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    # The checkout in question, not the one that is installed.
    environment = {**os.environ, "PYTHONPATH": str(root), "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False, text=True)
    return done.returncode, done.stdout + done.stderr


def test_contracts_are_kept() -> None:
    """Every import contract in pyproject.toml holds."""
    code, text = lint(ROOT)
    assert code == 0, text


PLANTED = [
    ("storage/keys.py", "import solidstate.planner.plan", "Imports go one way, as the data travels"),
    ("solidstate/errors.py", "import solidstate.types", "Imports go one way, as the data travels"),
    ("solidstate/novelty.py", "", "Imports go one way, as the data travels"),
    ("storage/store.py", "import s3fs", "The Lambda function stays light"),
    ("handler/step.py", "import solidstate.planner.compile", "The Lambda function stays light"),
    ("planner/tree.py", "import time", "Planning is pure: no AWS, no clock, no chance, no files"),
    ("planner/contract.py", "import solidstate.resources", "A plan holds names: only planner.build knows definitions"),
    ("handler/step.py", "import boto3", "Only storage and infra speak to AWS"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("file", "line", "contract"), PLANTED, ids=[f"{file}: {line}" for file, line, _ in PLANTED])
def test_contracts_can_fail(tmp_path: Path, file: str, line: str, contract: str) -> None:
    """Each contract notices the import it is there to refuse."""
    for name in ("solidstate", "handler", "infra", "planner", "storage"):
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as module:
        module.write(f"\n{line}\n")
    code, text = lint(tmp_path)
    assert code == 1
    assert f"{contract} BROKEN" in text
