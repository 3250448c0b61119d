"""Installing for another machine: what pip and uv are told, and what is understood of what they say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from solidstate.errors import EngineError, SolidstateError
from solidstate.infra import bundle_install
from solidstate.infra.bundle_install import Absent, Order, command_for, install, installer, platform_tags
from solidstate.infra.bundle_settings import Settings

FOR_312 = Settings("python3.12", "arm64")
FOR_311 = Settings("python3.11", "x86_64")
PLACES = (Path("target"), Path("r.txt"), Path("c.txt"), Path("wheels"))

NO_WHEEL_PIP = """\
Looking in indexes: https://pypi.org/simple
ERROR: Could not find a version that satisfies the requirement numpy==2.4.6 (from versions: 2.2.5, 2.2.6)
ERROR: No matching distribution found for numpy==2.4.6
"""
CONFLICT_PIP = """\
Collecting s3fs==2025.2.0
ERROR: Cannot install s3fs==2025.2.0 because these package versions have conflicting dependencies.

The conflict is caused by:
    s3fs 2025.2.0 depends on fsspec==2025.2.0.*
    The user requested (constraint) fsspec==2026.9.0

To fix this you could try to:
1. loosen the range of package versions you've specified
2. remove package versions to allow pip attempt to solve the dependency conflict

ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/en/latest/topics/dependency-resolution/
"""
NO_WHEEL_UV = """\
error: No solution found when resolving dependencies
  cause: Because contourpy==1.1.1 depends on numpy==2.4.6, we can conclude that contourpy==1.1.1 cannot be used. (1)

         Because numpy==2.4.6 has no usable wheels and all of:
             contourpy>=1.2.0,<=1.3.2
         depend on numpy==2.4.6, we can conclude that your requirements are unsatisfiable.

hint: Wheels are required for `numpy` because building from source is disabled for all packages
"""
UNKNOWN_UV = """\
error: No solution found when resolving dependencies
  cause: Because nosuchthing was not found in the package registry and you require nosuchthing, we can conclude that
         your requirements are unsatisfiable.
"""
CONFLICT_UV = """\
error: No solution found when resolving dependencies
  cause: Because s3fs==2025.2.0 depends on fsspec==2025.2.0.* and fsspec==2026.9.0, we can conclude that s3fs==2025.2.0
         cannot be used.
"""


def said_by(monkeypatch: pytest.MonkeyPatch, tool: str, answers: dict[str, str]) -> list[list[str]]:
    """An installer that says what was recorded of it, by the last line of its requirements; the commands it got."""
    commands: list[list[str]] = []

    class Done:
        def __init__(self, text: str) -> None:
            self.returncode, self.stdout, self.stderr = int(bool(text)), "", text

    def run(command: list[str], **_: Any) -> Done:
        commands.append(command)
        requirements = Path(command[command.index("--requirement") + 1]).read_text().split()
        return Done(answers.get(requirements[-1], ""))

    monkeypatch.setattr(bundle_install, "installer", lambda: tool)
    monkeypatch.setattr("subprocess.run", run)
    return commands


def order(*lines: str, pins: tuple[str, ...] = ()) -> Order:
    return Order(lines, (), pins, Path("wheels"))


def test_pip_is_told_the_platform_and_to_compile_nothing() -> None:
    """All of Amazon Linux's wheels, not only those of 2014."""
    command = command_for("pip", FOR_312, *PLACES)
    text = " ".join(command)
    assert "-m pip install" in text
    for part in (
        "--target target --python-version 3.12 --only-binary :all: --requirement r.txt --constraint c.txt",
        "--platform manylinux_2_34_aarch64",
        "--platform manylinux2014_aarch64",
        "--implementation cp",
        "--no-compile",
    ):
        assert part in text


def test_uv_is_told_the_same() -> None:
    """It evaluates environment markers for the platform by itself."""
    text = " ".join(command_for("uv", FOR_312, *PLACES))
    assert text.startswith("uv pip install ")
    assert "--python-platform aarch64-manylinux_2_34" in text
    assert "--only-binary :all:" in text
    assert "--python-platform x86_64-manylinux2014" in " ".join(command_for("uv", FOR_311, *PLACES))


def test_amazon_linux_2_is_older() -> None:
    """A wheel for a newer C library would not load there."""
    tags = platform_tags(FOR_311)
    assert tags[0] == "manylinux_2_26_x86_64"
    assert {"manylinux2014_x86_64", "manylinux1_x86_64", "linux_x86_64"} <= set(tags)
    assert "manylinux_2_28_x86_64" not in tags
    assert "manylinux_2_28_aarch64" in platform_tags(FOR_312)


@pytest.mark.parametrize(
    ("tool", "text", "name", "wish"),
    [
        ("pip", NO_WHEEL_PIP, "numpy", "==2.4.6"),
        ("uv", NO_WHEEL_UV, "numpy", "==2.4.6"),
        ("uv", UNKNOWN_UV, "nosuchthing", ""),
    ],
)
def test_a_package_without_a_wheel_is_recognised(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tool: str, text: str, name: str, wish: str
) -> None:
    """In the words of either installer."""
    said_by(monkeypatch, tool, {"contourpy": text})
    with pytest.raises(Absent) as caught:
        install(order("contourpy"), FOR_311, tmp_path / "target", tmp_path)
    assert caught.value.name == name
    assert str(caught.value) == (
        f"There is no wheel of `{name}{wish}` for python3.11 on x86_64.\n"
        "  fix: ask for another version in the requirements, let versions move with `--newest`, take the package "
        f"from a layer with `--layer-provided {name}`, or build for another `--runtime` or `--arch`"
    )


@pytest.mark.parametrize(("tool", "text"), [("pip", CONFLICT_PIP), ("uv", CONFLICT_UV)])
def test_versions_that_exclude_each_other_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tool: str, text: str
) -> None:
    """With the installer's own reason."""
    said_by(monkeypatch, tool, {"s3fs==2025.2.0": text})
    with pytest.raises(SolidstateError) as caught:
        install(order("s3fs==2025.2.0", pins=("fsspec==2026.9.0",)), FOR_312, tmp_path / "target", tmp_path)
    assert not isinstance(caught.value, (Absent, EngineError))
    assert str(caught.value).startswith(f"The requirements exclude each other. {tool} says: ")
    assert "depends on fsspec==2025.2.0.*" in caught.value.problem
    assert "loosen the range" not in caught.value.problem


def test_a_pin_without_a_wheel_is_no_conflict(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The installer calls it one, and is asked for the pinned version alone."""
    commands = said_by(
        monkeypatch,
        "pip",
        {
            "s3fs==2025.2.0": CONFLICT_PIP,
            "fsspec==2026.9.0": NO_WHEEL_PIP.replace("numpy==2.4.6", "fsspec==2026.9.0"),
        },
    )
    with pytest.raises(Absent, match=r"There is no wheel of `fsspec==2026\.9\.0`"):
        install(order("s3fs==2025.2.0", pins=("fsspec==2026.9.0",)), FOR_312, tmp_path / "target", tmp_path)
    assert [command[-1] == "--no-deps" for command in commands] == [False, True]


def test_other_failures_are_the_surroundings_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An index that does not answer is nothing that a project can mend."""
    said_by(monkeypatch, "pip", {"six": "WARNING: Retrying\nERROR: Connection refused.\n"})
    with pytest.raises(EngineError) as caught:
        install(order("six"), FOR_312, tmp_path / "target", tmp_path)
    assert str(caught.value) == (
        "pip could not install the packages. It says: Connection refused.\n"
        "  fix: see whether the package index can be reached, and how the installer is set up"
    )


def test_without_an_installer_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments made by uv hold no pip."""
    monkeypatch.setenv("PATH", os.devnull)
    assert installer() == "pip"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineError, match="There is neither `uv` nor `pip`"):
        installer()


def test_nothing_to_install_asks_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder is what comes of it."""
    monkeypatch.setattr(bundle_install, "installer", lambda: pytest.fail("asked"))
    install(order(), FOR_312, tmp_path / "target", tmp_path)
    assert list((tmp_path / "target").iterdir()) == []
