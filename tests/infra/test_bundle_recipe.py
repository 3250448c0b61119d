"""All that a bundle is made from is found, and judged, before anything is written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.errors import SolidstateError, TargetError
from solidstate.infra.bundle_recipe import Recipe, recipe_for
from solidstate.infra.bundle_settings import Choices
from tests.infra.bundles import project

TWO = """
    from solidstate import pipeline, solid


    @solid
    def one(context) -> int:
        return 1


    @pipeline
    def first():
        one()


    @pipeline
    def second():
        one()


    again = first
"""


@pytest.fixture(autouse=True)
def _forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules of the tests' projects have the same names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    loaded = set(sys.modules)
    yield
    for name in set(sys.modules) - loaded:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def targets(recipe: Recipe) -> list[str]:
    return [found.target for found in recipe.pipelines]


def test_a_module_stands_for_all_of_its_pipelines(tmp_path: Path) -> None:
    """Each once, under the first of its names; a name chooses one."""
    target = project(tmp_path, TWO)
    assert targets(recipe_for([target], Choices())) == ["flow:first", "flow:second"]
    assert targets(recipe_for([f"{target}:second"], Choices())) == ["flow:second"]


def test_several_targets_share_a_bundle(tmp_path: Path) -> None:
    """When an import finds them from the same folder."""
    one, two = project(tmp_path, TWO), project(tmp_path, TWO.replace("first", "third"), "other.py")
    found = recipe_for([f"{one}:first", f"{two}:third"], Choices())
    assert targets(found) == ["flow:first", "other:third"]
    assert list(found.code.files) == ["flow.py", "other.py"]


def test_s3fs_comes_for_those_who_use_it(tmp_path: Path) -> None:
    """Whoever writes ``context.fs``."""
    without = recipe_for([project(tmp_path, TWO)], Choices())
    assert "s3fs" not in [one.name for one in without.packages.wanted]
    using = TWO.replace("return 1", "return len(context.fs.ls('b'))")
    found = recipe_for([project(tmp_path, using, "files.py")], Choices())
    assert "s3fs" in [one.name for one in found.packages.wanted]


def test_equal_inputs_have_equal_digests(tmp_path: Path) -> None:
    """Code, plan, settings and packages are in it; where the project lies is not."""
    target = project(tmp_path / "a", TWO)
    first = recipe_for([target], Choices())
    assert recipe_for([target], Choices()).inputs == first.inputs
    others = [
        recipe_for([target], Choices(arch="arm64")),
        recipe_for([target], Choices(layer_provided=["pandas"])),
        recipe_for([f"{target}:first"], Choices()),
    ]
    (tmp_path / "a" / "requirements.txt").write_text("six\n")
    others.append(recipe_for([target], Choices()))
    (tmp_path / "a" / "requirements.txt").unlink()
    (tmp_path / "a" / "flow.py").write_text((tmp_path / "a" / "flow.py").read_text() + "\n# more\n")
    others.append(recipe_for([target], Choices()))
    assert len({first.inputs, *(one.inputs for one in others)}) == 6


def test_pipelines_of_different_folders_need_bundles_of_their_own(tmp_path: Path) -> None:
    """One import path leads to both only by chance."""
    one, two = project(tmp_path / "a", TWO), project(tmp_path / "b", TWO, "other.py")
    with pytest.raises(SolidstateError) as caught:
        recipe_for([one, two], Choices())
    assert str(caught.value) == (
        f"`{one}` and `{two}` are imported from different folders, so that one bundle cannot hold both.\n"
        "  fix: build a bundle for each, with `--output DIR`"
    )


def test_two_pipelines_of_one_name_cannot_share_a_bundle(tmp_path: Path) -> None:
    """Their plans and their runs would be each other's."""
    one, two = project(tmp_path, TWO), project(tmp_path, TWO, "other.py")
    with pytest.raises(SolidstateError) as caught:
        recipe_for([f"{one}:first", f"{two}:first"], Choices())
    assert str(caught.value) == (
        "`flow:first` and `other:first` are both called `first`.\n"
        "  fix: give one of them another name, or name the one to build: `module:pipeline`"
    )


def test_a_module_without_pipelines_is_told(tmp_path: Path) -> None:
    """In the words of every command."""
    with pytest.raises(TargetError, match="has no pipeline"):
        recipe_for([project(tmp_path, "x = 1\n")], Choices())
