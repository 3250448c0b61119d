"""The way of a user: a new project, rendered, judged and built by AWS's own SAM CLI, and run as uploaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / "scripts" / "sam"


def run(folder: Path, *command: str | Path) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client is for Linux")
def test_a_new_project_is_built_by_sam_and_runs(tmp_path: Path) -> None:
    """`new`, `template`, `sam validate --lint`, `sam build`; then the build's artifacts on AWS's runtime client."""
    solidstate = Path(sys.executable).with_name("solidstate")
    run(tmp_path, solidstate, "new", "x", "--runtime", f"python{sys.version_info.major}.{sys.version_info.minor}")
    project = tmp_path / "x"
    assert "unchanged" in run(project, solidstate, "template")
    assert "is a valid SAM Template" in run(project, SAM, "validate", "--lint")
    assert "Build Succeeded" in run(project, SAM, "build")
    built = project / ".aws-sam" / "build" / "XStepFunction"
    assert (built / "solidstate-bundle.json").is_file()
    assert (project / "build" / "machines" / "x.asl.json").is_file()
    told = run(project, solidstate, "run", "x.pipeline:x", "--lambda", "runtime", "--bundle", built, "--enforce-iam")
    assert "3 ok" in told


@pytest.mark.slow
def test_the_flights_template_is_valid_to_sam(tmp_path: Path) -> None:
    """The one of this repository, too."""
    assert "is a valid SAM Template" in run(ROOT, SAM, "validate", "--lint")
