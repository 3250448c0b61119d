"""What was built takes its place in one move, and nothing is lost that no build has made."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.bundle_place import MANIFEST, is_bundle, is_machines, replacing


def fill(target: Path, text: str) -> None:
    with replacing(target, is_bundle) as folder:
        (folder / MANIFEST).write_text(text)
        (folder / f"{text}.py").touch()


def test_a_build_replaces_the_one_before(tmp_path: Path) -> None:
    """The whole of it; beside the place nothing is left."""
    for text in ("first", "second"):
        fill(tmp_path / "deep" / "lambda", text)
    assert sorted(path.name for path in (tmp_path / "deep").rglob("*")) == ["lambda", "second.py", MANIFEST]


def test_an_empty_folder_is_anybody_s(tmp_path: Path) -> None:
    """`sam build` makes one for its makefiles."""
    (tmp_path / "lambda").mkdir()
    fill(tmp_path / "lambda", "first")
    assert (tmp_path / "lambda" / "first.py").exists()


def test_a_build_that_fails_changes_nothing(tmp_path: Path) -> None:
    """Not even when it has begun to write."""
    fill(tmp_path / "lambda", "first")
    with contextlib.suppress(ZeroDivisionError), replacing(tmp_path / "lambda", is_bundle) as folder:
        (folder / "half").touch()
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["lambda"]
    assert (tmp_path / "lambda" / "first.py").exists()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda path: (path.mkdir(), (path / "thesis.txt").touch()),
            "`lambda` holds files that no build has made, and would lose them.\n"
            "  fix: name another folder, or an empty one",
        ),
        (lambda path: path.touch(), "`lambda` is no folder.\n  fix: name another one, or move it away"),
        (lambda path: path.symlink_to(path.parent), "`lambda` is no folder.\n  fix: name another one, or move it away"),
    ],
)
def test_what_is_not_ours_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object, said: str
) -> None:
    """A mistyped folder must not cost anybody's work."""
    monkeypatch.chdir(tmp_path)
    assert callable(make)
    make(tmp_path / "lambda")
    with pytest.raises(SolidstateError) as caught:
        fill(Path("lambda"), "first")
    assert str(caught.value) == said
    assert [path.name for path in tmp_path.iterdir()] == ["lambda"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Before anything is built."""
    (tmp_path / "file").touch()
    with pytest.raises(SolidstateError) as caught:
        fill(tmp_path / "file" / "lambda", "first")
    assert str(caught.value) == (
        f"`{tmp_path}/file/lambda` cannot be written: File exists.\n  fix: name a folder that is yours: `--output DIR`"
    )


def test_a_folder_of_machines_holds_definitions_alone(tmp_path: Path) -> None:
    """One more file, and it is somebody else's."""
    (tmp_path / "a.asl.json").touch()
    assert is_machines(tmp_path)
    (tmp_path / "b.json").touch()
    assert not is_machines(tmp_path)
