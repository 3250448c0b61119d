"""Links stand in for what Lambda has beside a bundle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from solidstate.errors import EngineError
from solidstate.infra.lambda_layers import RUNTIME, link_packages


def imported(folder: Path, *modules: str) -> str:
    """What an interpreter that sees the folder alone says."""
    script = f"import sys; sys.path.append({str(folder)!r})\n" + "\n".join(f"import {name}" for name in modules)
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", script], capture_output=True, text=True, check=False)
    return done.stderr


def test_the_named_packages_and_what_they_require_can_be_imported(tmp_path: Path) -> None:
    """Nothing else."""
    folder = link_packages(["boto3"], tmp_path / "runtime")
    assert imported(folder, "boto3", "botocore.session", "dateutil", "urllib3") == ""
    assert "No module named 'msgspec'" in imported(folder, "msgspec")


@pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux")
def test_the_runtime_s_own_can_be_imported(tmp_path: Path) -> None:
    """The runtime client has an extension beside it."""
    assert imported(link_packages(RUNTIME, tmp_path / "runtime"), "awslambdaric", "runtime_client", "boto3") == ""


def test_what_is_not_installed_is_told(tmp_path: Path) -> None:
    """With how to install it."""
    with pytest.raises(EngineError) as caught:
        link_packages(["boto3", "no-such-layer"], tmp_path / "layer")
    assert str(caught.value) == (
        "`no-such-layer`, which Lambda has beside the bundle, is not installed here.\n"
        "  fix: `pip install no-such-layer`"
    )
