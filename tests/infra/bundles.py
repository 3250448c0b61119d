"""For tests that build: packages from this environment, so that no index is asked, and a small project."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from solidstate.infra.bundle_packages import installed_closure
from solidstate.infra.bundle_wheels import packed

PACKAGES = ("aws-lambda-powertools", "boto3", "msgspec", "obstore", "s3fs")
"""What bundles may need of them; what is not installed is passed over."""


@contextmanager
def offline_packages(folder: Path, names: Sequence[str] = PACKAGES) -> Generator[Path]:
    """Installers see what is installed here, packed into wheels, and nothing else."""
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    for name in installed_closure(list(names)):
        packed(name, wheels, pure_only=False)
    (folder / "pip.conf").write_text(f"[global]\nno-index = true\nfind-links = {wheels}\n")
    (folder / "uv.toml").write_text(f"no-index = true\nfind-links = ['{wheels}']\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
            patch.delenv(name)  # they would go before the files
        patch.setenv("PIP_CONFIG_FILE", str(folder / "pip.conf"))
        patch.setenv("UV_CONFIG_FILE", str(folder / "uv.toml"))
        yield wheels


def project(root: Path, source: str, name: str = "flow.py") -> str:
    """A project of one module; gives its target."""
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(textwrap.dedent(source))
    return str(root / name)
