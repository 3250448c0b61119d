"""What holds for every test: no AWS account, no network but loopback, a home of its own, and in continuous integration
the same examples each time."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A deadline and the check for slow data measure the machine and its other load rather than the code.
settings.register_profile("laptop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("laptop"), derandomize=True, database=None, print_blob=True)


def pytest_configure() -> None:
    """Before any test module is imported: hypothesis reads the profile when a test is decorated."""
    settings.load_profile("ci" if os.environ.get("CI") else "laptop")
    sys.addaudithook(_loopback_only)


def _loopback_only(event: str, arguments: tuple[Any, ...]) -> None:
    """A test that reaches for the network has forgotten an endpoint, and would be slow and different elsewhere."""
    if event != "socket.connect":
        return
    connecting, address = arguments
    if connecting.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0])
    if host != "localhost" and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        raise AssertionError(f"a test connects to {host}:{address[1]}; tests use loopback only")


@pytest.fixture(scope="session", autouse=True)
def no_aws_account() -> Iterator[None]:
    """Nothing a developer's machine knows of AWS. For the whole session: local engines of wider scope set their own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("AWS_", "SOLIDSTATE_")) or name == "BOTO_CONFIG":
                patch.delenv(name)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of local runs: never the developer's own history. Made by whoever writes to it."""
    folder = tmp_path / "solidstate-home"
    monkeypatch.setenv("SOLIDSTATE_HOME", str(folder))
    return folder
