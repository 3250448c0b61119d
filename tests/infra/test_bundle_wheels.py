"""Wheels made here are wheels: pip reads them, and what is in them is what was installed."""

from __future__ import annotations

import zipfile
from importlib import metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from solidstate.infra.bundle_wheels import is_stand_in, packed, stand_in


def test_a_stand_in_fits_where_the_version_fits_and_is_known_again(tmp_path: Path) -> None:
    """Its version is one that no index has."""
    line = stand_in("python-dateutil", "2.9.0.post0", tmp_path)
    assert line == "python-dateutil==2.9.0.post0+elsewhere"
    (made,) = tmp_path.iterdir()
    name, version, _, _ = parse_wheel_filename(made.name)
    assert name == "python-dateutil"
    assert version in SpecifierSet(">=2.1,<3.0")
    assert version in SpecifierSet("==2.9.0.post0")
    assert is_stand_in(str(version))
    assert not is_stand_in("2.9.0.post0")
    with zipfile.ZipFile(made) as wheel:
        assert {path.rpartition("/")[2] for path in wheel.namelist()} == {"METADATA", "WHEEL", "RECORD"}


def test_what_is_installed_can_be_packed(tmp_path: Path) -> None:
    """All of its files, none of the installer's; the same bytes each time."""
    made = packed("msgspec", tmp_path, pure_only=False)
    assert made is not None
    with zipfile.ZipFile(made) as wheel:
        assert wheel.testzip() is None
        assert {"msgspec/__init__.py", f"msgspec-{metadata.version('msgspec')}.dist-info/METADATA"} <= set(
            wheel.namelist()
        )
        assert [name for name in wheel.namelist() if name.endswith((".pyc", "INSTALLER"))] == []
    before = made.read_bytes()
    assert packed("msgspec", tmp_path, pure_only=False) == made
    assert made.read_bytes() == before


def test_only_pure_python_is_packed_for_another_machine(tmp_path: Path) -> None:
    """Nor what is not installed, nor what is a link to its sources."""
    assert packed("jmespath", tmp_path) is not None
    assert packed("msgspec", tmp_path) is None
    assert packed("no-such-package", tmp_path) is None
    assert packed("solidstate", tmp_path) is None
