"""Runs that several tests look at: opening a local AWS takes a second, so each is made once."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from solidstate.events import AnyEvent
from solidstate.infra.home import Home
from solidstate.infra.local_run import Engine, run_local
from solidstate.storage.records import RunSummary
from tests.e2e.everything import REQUEST, everything


class Run(msgspec.Struct, frozen=True):
    """A finished run, where it is kept, and what was shown while it ran."""

    home: Home
    summary: RunSummary
    live: list[AnyEvent]


def run_on(engine: Engine, folder: Path) -> Run:
    """The pipeline with everything, in a home of its own."""
    home = Home(folder)
    live: list[AnyEvent] = []
    summary = run_local(everything, REQUEST, engine=engine, home=home, run_id="run-1", observer=live.append)
    return Run(home, summary, live)


@pytest.fixture(scope="session")
def on_moto(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """On the very definition and handler."""
    return run_on("moto", tmp_path_factory.mktemp("moto"))


@pytest.fixture(scope="session")
def on_inline(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """In one process."""
    return run_on("inline", tmp_path_factory.mktemp("inline"))
