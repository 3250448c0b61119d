"""The local home: one folder, made when it is needed, outside version control."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from solidstate.errors import EngineError
from solidstate.infra.home import Home, home_from, new_run_id
from solidstate.request import RUN_ID


def test_prepare_makes_what_runs_need_and_hides_it_from_git(tmp_path: Path) -> None:
    """A user's own .gitignore stays."""
    home = Home(tmp_path / "home")
    home.prepare()
    assert (home.objects.is_dir(), (home.root / ".gitignore").read_text()) == (True, "*\n")
    (home.root / ".gitignore").write_text("logs\n")
    home.prepare()
    assert (home.root / ".gitignore").read_text() == "logs\n"


def test_what_is_where(tmp_path: Path) -> None:
    """People look into it."""
    home = Home(tmp_path)
    assert home.log("r") == tmp_path / "logs" / "r.ndjson"
    assert home.execution("r") == tmp_path / "executions" / "r"
    assert (home.files, home.objects) == (tmp_path / "files", tmp_path / "store")
    assert home.store.put("a/b", b"1")
    assert (tmp_path / "store" / "a" / "b").read_bytes() == b"1"


def test_a_home_that_cannot_be_made(tmp_path: Path) -> None:
    """Where it should be, why not, and how to have another."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as caught:
        Home(tmp_path / "file").prepare()
    assert str(caught.value) == (
        f"The folder for local runs cannot be written: Not a directory.\n  at: {tmp_path}/file\n"
        "  fix: pass another one with `--home DIR` or the environment variable SOLIDSTATE_HOME"
    )


def test_asked_for_wins_over_environment_over_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Always absolute, since a solid may change the directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOLIDSTATE_HOME", raising=False)
    assert home_from().root == tmp_path / ".solidstate"
    monkeypatch.setenv("SOLIDSTATE_HOME", "env")
    assert home_from().root == tmp_path / "env"
    assert home_from("given").root == tmp_path / "given"


def test_run_ids_are_legal_unique_and_sort_by_time() -> None:
    """They become execution names."""
    ids = [new_run_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert all(RUN_ID.fullmatch(run) and re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}-[0-9a-f]{6}", run) for run in ids)
    assert [run[:17] for run in ids] == sorted(run[:17] for run in ids)


def test_a_run_is_running_as_long_as_its_process_says_so(tmp_path: Path) -> None:
    """Not before, not after; a mark that a killed process has left behind says nothing."""
    home = Home(tmp_path)
    assert not home.is_running("r")
    with home.running("r"):
        assert home.is_running("r")
        assert not home.is_running("other")
    assert not home.is_running("r")
    (tmp_path / "running" / "killed").touch()
    assert not home.is_running("killed")
