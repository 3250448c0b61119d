"""A new project has names that can be imported, and files that are filled in."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from solidstate.errors import SolidstateError
from solidstate.infra.new_project import SAM_VERSION, Names, names_for, write_project
from solidstate.infra.template_file import Options

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("folder", "name", "package"),
    [
        ("tea", "tea", "tea"),
        ("Tea Shop", "tea-shop", "tea_shop"),
        ("tea_shop", "tea-shop", "tea_shop"),
        ("/a/b/shop-2.0", "shop-2-0", "shop_2_0"),
        ("x", "x", "x"),
    ],
)
def test_names(folder: str, name: str, package: str) -> None:
    """Of the project and stack with hyphens, of the package with underscores."""
    assert names_for(Path(folder)) == Names(name, package)


@pytest.mark.parametrize("folder", ["1shop", "-", "ä", "x" * 61, ""])
def test_names_that_cannot_be(folder: str) -> None:
    """Neither a stack nor a package could be called so."""
    with pytest.raises(SolidstateError, match=r"^No project can be called '.*: expected a letter, then letters"):
        names_for(Path("/") / folder)


@pytest.mark.parametrize("folder", ["json", "class", "pytest", "solidstate"])
def test_names_that_are_taken(folder: str) -> None:
    """By Python, or by a package that is installed: its import would find the other."""
    with pytest.raises(SolidstateError) as caught:
        names_for(Path(folder))
    assert str(caught.value) == (
        f"A package `{folder}` could not be imported: that name belongs to Python or to an installed package.\n"
        f"  fix: choose another folder, such as `{folder}_pipeline`"
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "tea-shop"
    write_project(folder, Names("tea-shop", "tea_shop"), Options("python3.13", "arm64"))
    return folder


def test_everything_is_filled_in(shop: Path) -> None:
    """No place is left open, and every file can be read by what it is for."""
    texts = {path.relative_to(shop).as_posix(): path.read_text() for path in shop.rglob("*") if path.is_file()}
    assert [name for name, text in texts.items() if re.search(r"<<\w+>>", text)] == []
    project = tomllib.loads(texts["pyproject.toml"])
    assert (project["project"]["name"], project["tool"]["setuptools"]["packages"]) == ("tea-shop", ["tea_shop"])
    assert tomllib.loads(texts["samconfig.toml"])["default"]["global"]["parameters"] == {"stack_name": "tea-shop"}
    workflow = yaml.safe_load(texts[".github/workflows/ci.yml"])
    steps = workflow["jobs"]["check"]["steps"]
    assert {"python-version": "3.13", "cache": "pip"} in [step.get("with") for step in steps]
    assert f"pipx install aws-sam-cli=={SAM_VERSION}" in [step.get("run") for step in steps]
    compile(texts["tea_shop/pipeline.py"], "pipeline.py", "exec")


def test_the_makefile_makes_what_the_template_takes(shop: Path) -> None:
    """SAM calls it for each function, and finds the definitions where the build leaves them."""
    makefile, template = (shop / "Makefile").read_text(), (shop / "template.yaml").read_text()
    assert re.search(
        r"^build-%:\n\tsolidstate build \$\(TARGET\) --output build\n\tcp -R build/lambda/\.", makefile, re.MULTILINE
    )
    assert "TARGET := tea_shop.pipeline:tea_shop\n" in makefile
    assert "DefinitionUri: build/machines/tea_shop.asl.json\n" in template
    assert "Metadata: {BuildMethod: makefile}\n" in template


def test_sam_is_the_one_that_is_tried() -> None:
    """The version that new projects check with is the one of our own tests."""
    assert f"aws-sam-cli=={SAM_VERSION}" in (ROOT / "requirements" / "sam.txt").read_text().splitlines()


def test_what_was_begun_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When something fails in the middle, no folder is left."""
    monkeypatch.setattr("solidstate.infra.new_project._FILES", {"README.md": "a", "pyproject.toml": "a/b"})
    with pytest.raises(SolidstateError, match="cannot be written"):
        write_project(tmp_path / "shop", Names("shop", "shop"), Options())
    assert list(tmp_path.iterdir()) == []
