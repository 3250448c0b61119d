"""Byte code that Python takes as it is, the same each time."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from solidstate.infra import bundle_bytecode
from solidstate.infra.bundle_bytecode import compile_bundle, interpreter_for
from solidstate.infra.bundle_settings import Settings, local_runtime

SOURCE = "CHOICES = {'b', 'a', 'c', 'd'}\n\n\ndef f(x):\n    return x in {'one', 'two', 'three'} or 1 / 0\n"
LOCAL = Settings(local_runtime(), "x86_64")


def compiled(root: Path) -> bytes:
    (root / "pkg").mkdir(parents=True)
    (root / "pkg" / "m.py").write_text(SOURCE)
    (root / "template.py").write_text("{{ no python }}")
    assert compile_bundle(root, LOCAL)
    return Path(importlib.util.cache_from_source(str(root / "pkg" / "m.py"))).read_bytes()


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    """Sets in constants are ordered by hashes, which differ from process to process; and the place does not matter."""
    assert compiled(tmp_path / "one") == compiled(tmp_path / "two")


def test_byte_code_is_never_checked_against_its_source(tmp_path: Path) -> None:
    """A zip changes times. Frames still name the file that was imported."""
    compiled(tmp_path)
    (tmp_path / "pkg" / "m.py").write_text("raise SystemExit('compiled anew')\n")
    script = "import pkg.m; print(pkg.m.__cached__ is not None, pkg.m.f.__code__.co_filename)"
    done = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True", str(tmp_path / "pkg" / "m.py")], done.stderr


def test_what_is_no_python_of_this_version_stays_as_it_is(tmp_path: Path) -> None:
    """Packages ship templates, and modules for other versions."""
    compiled(tmp_path)
    assert not (tmp_path / "__pycache__").exists()


def test_without_an_interpreter_of_that_version_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not run is none, as with version managers; neither is one of another version."""
    other = Settings("python3.14" if sys.version_info[:2] != (3, 14) else "python3.13", "x86_64")
    version = other.runtime.removeprefix("python")
    for script in ("#!/bin/sh\nexit 1\n", f'#!/bin/sh\nexec {sys.executable} "$@"\n'):
        (tmp_path / f"python{version}").write_text(script)
        (tmp_path / f"python{version}").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        monkeypatch.setattr(bundle_bytecode, "_from_uv", lambda version: None)
        assert interpreter_for(other) is None
    assert compile_bundle(tmp_path, other) is False
    assert interpreter_for(LOCAL) == sys.executable
