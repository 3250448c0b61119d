"""``solidstate new`` writes a project that works."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.cli.project import REPOSITORY, Project

FILES = [
    ".github/workflows/ci.yml",
    ".gitignore",
    "Makefile",
    "README.md",
    "pyproject.toml",
    "samconfig.toml",
    "tea_shop/__init__.py",
    "tea_shop/orders.csv",
    "tea_shop/pipeline.py",
    "template.yaml",
    "tests/test_pipeline.py",
]


def test_what_is_written(project: Project) -> None:
    """All files, named as people expect, and what to do next."""
    ran = project.run("new", "tea-shop")
    written = [path.relative_to(project.root / "tea-shop") for path in (project.root / "tea-shop").rglob("*")]
    assert sorted(path.as_posix() for path in written if (project.root / "tea-shop" / path).is_file()) == FILES
    assert ran.code == 0
    assert ran.out == "".join(f"wrote  tea-shop/{path}\n" for path in FILES) + (
        "\ngo on: cd tea-shop\n"
        "       solidstate run tea_shop.pipeline:tea_shop\n"
        "       sam build && sam deploy --guided\n"
    )


def test_the_project_passes_its_own_check(project: Project) -> None:
    """Definitions, tests, template: what its `make check` runs."""
    project.run("new", "tea-shop", "--runtime", "python3.13", "--arch", "arm64")
    folder = project.root / "tea-shop"
    for command in (
        ("-m", "solidstate.cli.main", "check", "tea_shop.pipeline:tea_shop"),
        ("-m", "pytest", "-q", "-p", "no:cacheprovider"),
        ("-m", "solidstate.cli.main", "template", "--check"),
        ("-m", "solidstate.cli.main", "run", "tea_shop.pipeline:tea_shop", "--engine", "inline"),
    ):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    text = (folder / "template.yaml").read_text()
    assert "    Runtime: python3.13\n    Architectures: [arm64]\n" in text


def test_as_json(project: Project) -> None:
    """For programs."""
    assert project.run("new", "tea-shop", "--json").json() == {
        "folder": "tea-shop",
        "name": "tea-shop",
        "package": "tea_shop",
        "files": FILES,
    }


def test_a_folder_that_is_there(project: Project) -> None:
    """Nothing is overwritten; an empty folder is taken."""
    (project.root / "shop1").mkdir()
    assert project.run("new", "shop1").code == 0
    before = (project.root / "shop1" / "README.md").read_text()
    ran = project.run("new", "shop1")
    assert ran.code == 2
    assert ran.err == "error: `PROJECT/shop1` is there already.\n  fix: name a folder that is new or empty\n"
    assert (project.root / "shop1" / "README.md").read_text() == before


def test_nothing_is_left_behind(project: Project) -> None:
    """The folder is there as a whole, and nothing beside it."""
    project.run("new", "deep/er/shop2")
    assert [path.name for path in project.root.iterdir()] == ["deep"]
    assert [path.name for path in (project.root / "deep" / "er").iterdir()] == ["shop2"]
    assert not [name for name in sys.modules if "shop2" in name]
