"""``solidstate build`` as it is typed: what it says, what it writes, what it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.infra.bundle_settings import ARCHITECTURES, RUNTIMES, local_runtime
from tests.cli.project import Mistake, Project
from tests.infra.bundles import offline_packages

FLOW = """
    from solidstate import pipeline, solid


    @solid
    def one() -> int:
        return 1


    @pipeline
    def flow():
        one()
"""


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No index is asked."""
    with offline_packages(tmp_path_factory.mktemp("wheels"), ("aws-lambda-powertools", "msgspec", "obstore")):
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_a_build_says_what_it_made(project: Project) -> None:
    """Who takes how much, what comes from elsewhere, where everything is, what the function must be told."""
    project.write("flow.py", FLOW)
    ran = project.run("build", "flow.py", "--runtime", local_runtime(), "--zip", "bundle.zip")
    assert (ran.code, ran.err) == (0, "")
    said = re.sub(r"\d[\d.]* (MiB|KiB|B)\b", "SIZE", ran.out)
    said = re.sub(r"[0-9a-f]{64}", "DIGEST", re.sub(r" {2,}", "  ", said))
    assert said.splitlines()[0] == "package  unzipped  zipped"
    assert "solidstate  SIZE  SIZE" in said
    assert said.splitlines()[-7:] == [
        "",
        "from the runtime: boto3, botocore, s3transfer",
        "note: no requirements were found: neither a requirements.txt nor dependencies in pyproject.toml",
        f"wrote: build/lambda for {local_runtime()} on x86_64",
        "wrote: build/machines/flow.asl.json",
        "SOLIDSTATE_PIPELINES: flow:flow",
        "sha256 of the zip: DIGEST",
    ]
    assert {path.name for path in project.root.iterdir()} == {"flow.py", "build", "bundle.zip"}


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_programs_read_json_and_sam_a_folder(project: Project) -> None:
    """``--into`` is for a makefile: the bundle alone, in the folder that SAM has made."""
    project.write("flow.py", FLOW)
    (project.root / "artifacts").mkdir()
    found = project.run("build", "flow.py:flow", "--into", "artifacts", "--json", "--runtime", local_runtime()).json()
    assert (found["bundle"], found["machines"]) == ("artifacts", [])
    assert found["manifest"]["targets"] == {"flow": "flow:flow"}
    assert found["unzipped_bytes"] == sum(share["size"] for share in found["shares"])
    assert (project.root / "artifacts" / "solidstate" / "handler" / "entry.py").exists()
    assert not (project.root / "build").exists()


def test_the_help_names_what_there_is() -> None:
    """Without importing the builder."""
    from solidstate.cli import choices

    assert choices.RUNTIMES == RUNTIMES
    assert "x86_64" in ARCHITECTURES


MISTAKES = [
    Mistake(
        "no target",
        ["build"],
        """
        usage: solidstate build TARGET ... [options]
        error: The following arguments are required: TARGET.
          fix: `solidstate build --help` says more
        """,
    ),
    Mistake(
        "runtime",
        ["build", "flow.py", "--runtime", "python3.9"],
        """
        error: There is no runtime `python3.9` to build for.
          fix: choose one of `python3.11`, `python3.12`, `python3.13`, `python3.14`
        """,
        {"flow.py": "\n".join(line[4:] for line in FLOW.splitlines())},
    ),
    Mistake(
        "foreign folder",
        ["build", "flow.py", "--into", "mine"],
        """
        error: `mine` holds files that no build has made, and would lose them.
          fix: name another folder, or an empty one
        """,
        {"flow.py": "\n".join(line[4:] for line in FLOW.splitlines()), "mine/thesis.txt": ""},
    ),
    Mistake(
        "requirements",
        ["build", "flow.py", "--requirements", "none.txt"],
        """
        error: There is no file of requirements `none.txt`.
          fix: name another one with `--requirements FILE`
        """,
        {"flow.py": "\n".join(line[4:] for line in FLOW.splitlines())},
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name for mistake in MISTAKES])
def test_mistakes_are_told(project: Project, mistake: Mistake) -> None:
    """In full sentences, with a way out, and nothing is written."""
    mistake.check(project)
    assert not (project.root / "build").exists()


RUN_MISTAKES = [
    Mistake(
        "lambda inline",
        ["run", "flow.py", "--engine", "inline", "--lambda", "runtime"],
        """
        error: `--lambda runtime` goes with `--engine moto`.
          fix: add `--engine moto`, or leave `--lambda runtime` out
        """,
        {"flow.py": "\n".join(line[4:] for line in FLOW.splitlines())},
    ),
    Mistake(
        "bundle alone",
        ["run", "flow.py", "--bundle", "build/lambda"],
        """
        error: `--bundle` goes with `--lambda runtime`.
          fix: add `--lambda runtime`, or leave `--bundle` out
        """,
        {"flow.py": "\n".join(line[4:] for line in FLOW.splitlines())},
    ),
    Mistake(
        "no bundle",
        ["run", "flow.py", "--lambda", "runtime", "--bundle", "build/lambda"],
        """
        error: `build/lambda` is no bundle: No such file or directory.
          at: build/lambda/solidstate-bundle.json
          fix: make one with `solidstate build TARGET`
        """,
        {"flow.py": "\n".join(line[4:] for line in FLOW.splitlines())},
    ),
]


@pytest.mark.parametrize("mistake", RUN_MISTAKES, ids=[mistake.name for mistake in RUN_MISTAKES])
def test_a_bundle_goes_with_the_engine_that_runs_it(project: Project, mistake: Mistake) -> None:
    """Options that would have no effect are refused, before anything runs."""
    mistake.check(project)
    assert not Path(project.root / ".solidstate").exists()
