"""Folders, links, pyproject.toml and what is built tell the same story.

Four subpackages live at the top of the repository, where `packages` and `package-dir` must name them by hand: one left
out would be missing from the wheel without a word.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from solidstate import __version__
from solidstate.infra.moto_repairs import SUPPORTED_MOTO

ROOT = Path(__file__).resolve().parents[1]
MAPPED = ("handler", "infra", "planner", "storage")


def settings() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def python_files(*tops: str) -> list[Path]:
    """Python files below top-level folders; the links in solidstate/ are not followed."""
    links = {ROOT / "solidstate" / name for name in MAPPED}
    paths = (path for top in tops for path in (ROOT / top).rglob("*.py"))
    return sorted(path for path in paths if not links & set(path.parents))


def module_file(path: Path) -> str:
    """Where a file of the repository belongs in the installed package."""
    inside = path.relative_to(ROOT)
    return (inside if inside.parts[0] == "solidstate" else Path("solidstate") / inside).as_posix()


def test_packages_are_the_folders() -> None:
    """Every folder with an ``__init__.py`` is a package in pyproject.toml, and every package is such a folder."""
    inits = [path for path in python_files("solidstate", *MAPPED) if path.name == "__init__.py"]
    folders = sorted(Path(module_file(path)).parent.as_posix().replace("/", ".") for path in inits)
    assert settings()["tool"]["setuptools"]["packages"] == folders


def test_every_folder_with_code_is_a_package() -> None:
    """No module lies in a folder without ``__init__.py``, where neither builds nor editable installs would find it."""
    holding = {path.parent for path in python_files("solidstate", *MAPPED)}
    assert [folder.relative_to(ROOT).as_posix() for folder in holding if not (folder / "__init__.py").exists()] == []


def test_package_dir_is_the_links() -> None:
    """What pyproject.toml maps for Python is what the links show to type checkers: the same folders, all of them."""
    mapping = settings()["tool"]["setuptools"]["package-dir"]
    assert mapping == {"solidstate": "solidstate", **{f"solidstate.{name}": name for name in MAPPED}}
    links = [ROOT / "solidstate" / name for name in MAPPED]
    if not all(link.is_symlink() for link in links):
        pytest.skip("checked out without links")
    assert [link.readlink().as_posix() for link in links] == [f"../{name}" for name in MAPPED]
    others = [path.name for path in (ROOT / "solidstate").iterdir() if path.is_symlink() and path not in links]
    assert others == []


def short_imports(tree: ast.Module) -> list[int]:
    """Lines that import a subpackage by its folder's name, or relatively."""
    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(name.name.partition(".")[0] in MAPPED for name in names):
                lines.append(node.lineno)
            case ast.ImportFrom(level=level) if level > 0:
                lines.append(node.lineno)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in MAPPED:
                lines.append(node.lineno)
            case _:
                pass
    return lines


def test_imports_are_absolute() -> None:
    """Nobody imports ``storage.keys`` or ``.keys``: the one makes a second copy of the module, the other hides it."""
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in python_files("solidstate", *MAPPED, "tests", "bench")
        if (lines := short_imports(ast.parse(path.read_text())))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("line", "short"),
    [
        ("import storage", True),
        ("import os, storage.keys", True),
        ("from storage import keys", True),
        ("from .keys import RUNS", True),
        ("from . import keys", True),
        ("import solidstate.storage.keys", False),
        ("from solidstate.storage import keys", False),
        ("from storages import keys", False),
    ],
)
def test_short_imports_are_noticed(line: str, short: bool) -> None:
    """The check above knows every way to write such an import."""
    assert bool(short_imports(ast.parse(line))) is short


def test_version_is_the_newest_in_the_changelog() -> None:
    """``solidstate.__version__`` is stated once and opens the changelog."""
    newest = re.search(r"^## \[([^]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest.group(1) == __version__
    assert settings()["project"]["dynamic"] == ["version"]


def requirements() -> list[Requirement]:
    """Everything pyproject.toml asks for, the extras included."""
    project = settings()["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return [requirement for requirement in map(Requirement, lines) if requirement.name != "solidstate"]


def test_every_dependency_has_a_floor() -> None:
    """No dependency may be resolved to a version of years ago."""
    assert [
        str(one) for one in requirements() if {spec.operator for spec in one.specifier} not in ({">="}, {"=="})
    ] == []


def test_lock_fits_the_requirements() -> None:
    """``requirements/dev.txt`` pins everything pyproject.toml asks for, in versions it allows (else: ``make lock``)."""
    pins = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in map(Requirement, (ROOT / "requirements" / "dev.txt").read_text().splitlines())
        if pin.marker is None or pin.marker.evaluate()
    }
    wanted = [one for one in requirements() if one.marker is None or one.marker.evaluate()]
    assert [str(one) for one in wanted if pins.get(canonicalize_name(one.name), "none") not in one.specifier] == []


def test_moto_is_the_one_that_is_repaired() -> None:
    """The extra ``local`` installs the only version of moto the repairs are made for."""
    [moto] = [one for one in requirements() if one.name == "moto"]
    assert str(moto.specifier) == f"=={SUPPORTED_MOTO}"


def expected_files() -> set[str]:
    """What the wheel must hold beside its metadata."""
    modules = {module_file(path) for path in python_files("solidstate", *MAPPED)}
    skeletons = {module_file(path) for path in (ROOT / "infra" / "skeletons").rglob("*.tmpl")}
    assert len(skeletons) > 5
    return modules | skeletons | {"solidstate/py.typed"}


BUILD = "import sys; from setuptools import build_meta; build_meta.{hook}(sys.argv[1])"


def build(hook: str, source: Path, target: Path) -> Path:
    """Build with the backend itself, which needs no isolated environment and so no network."""
    if int(version("setuptools").partition(".")[0]) < 80:
        pytest.skip("setuptools is older than pyproject.toml asks for")
    target.mkdir(exist_ok=True)
    command = [sys.executable, "-W", "ignore", "-c", BUILD.format(hook=hook), str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    [made] = target.iterdir()
    return made


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what git tracks, or would after ``git add``."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, check=False, text=True)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    copy = tmp_path / "checkout"
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name, follow_symlinks=False)
    return copy


WHERE_FROM = """
import json, sys
sys.path.insert(0, sys.argv[1])
import solidstate.cli, solidstate.handler.entry
print(json.dumps([solidstate.cli.__file__, solidstate.handler.entry.__file__]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
def test_wheel_holds_the_package(checkout: Path, tmp_path: Path, links: bool) -> None:
    """The wheel of the sdist holds every module once and nothing else, with the links or without, and runs anywhere."""
    if not links:
        for name in MAPPED:
            (checkout / "solidstate" / name).unlink()
    sdist = build("build_sdist", checkout, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # came with 3.11.4
        archive.extractall(tmp_path / "unpacked")  # noqa: S202 - we made it
    [source] = (tmp_path / "unpacked").iterdir()
    for name in ("template.yaml", "docs/how-it-works.md", "tests/test_packaging.py", "examples/flights/pipeline.py"):
        assert (source / name).exists() == (checkout / name).exists(), name

    wheel = build("build_wheel", source, tmp_path / "wheel")
    assert wheel.name == f"solidstate-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "installed")  # noqa: S202 - our own wheel
    assert sorted(names) == sorted(set(names))
    metadata = f"solidstate-{__version__}.dist-info/"
    assert {name for name in names if not name.startswith(metadata)} == expected_files()

    command = [sys.executable, "-W", "error", "-c", WHERE_FROM]
    done = subprocess.run(
        [*command, str(tmp_path / "installed")], cwd=tmp_path, capture_output=True, check=True, text=True
    )
    assert all(Path(file).is_relative_to(tmp_path / "installed") for file in json.loads(done.stdout))
