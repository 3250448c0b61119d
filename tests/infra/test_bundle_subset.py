"""solidstate's own part of a bundle is the closure of what the function imports."""

from __future__ import annotations

import importlib

import pytest

from solidstate.infra.bundle_subset import (
    AT_HOME,
    bundled_path,
    home_of,
    runtime_imports,
    runtime_modules,
    stays_at_home,
)
from tests.test_layers import LOADED_BY_THE_LAMBDA, LOADED_LATER


def test_all_that_a_function_loads_is_there() -> None:
    """What the tests of the layers measure in an interpreter."""
    assert {*LOADED_BY_THE_LAMBDA, *LOADED_LATER} - runtime_modules().keys() == set()


def test_what_stays_at_home_is_not() -> None:
    """No command line, no local engine, and of the planner only what reads a plan."""
    modules = runtime_modules()
    assert [name for name in modules if name.startswith(AT_HOME)] == []
    planner = {name for name in modules if name.startswith("solidstate.planner.")}
    assert planner.isdisjoint(f"solidstate.planner.{name}" for name in ("build", "compile", "shape", "states", "lint"))


def test_the_set_is_closed() -> None:
    """Nothing in it imports a module of ours that is not in it."""
    modules = runtime_modules()
    lost = {one.module for one in runtime_imports() if one.top == "solidstate" and one.module not in modules}
    assert lost == set()


def test_what_is_imported_late_is_there() -> None:
    """Frames, S3 and secrets are reached through imports in functions and by name."""
    late = {"storage.files", "storage.pandas_frames", "storage.secret_sources", "frame_pandas", "frame_polars"}
    assert {f"solidstate.{name}" for name in late} - runtime_modules().keys() == set()


def test_every_public_name_is_there_or_stays_at_home() -> None:
    """A pipeline's module may import any name of the package that makes sense in a function."""
    for name in importlib.import_module("solidstate").__all__:
        home = home_of(name)
        assert home is not None
        assert home in runtime_modules() or stays_at_home(home), name


@pytest.mark.parametrize(
    ("module", "path"),
    [
        ("solidstate", "solidstate/__init__.py"),
        ("solidstate.storage", "solidstate/storage/__init__.py"),
        ("solidstate.storage.keys", "solidstate/storage/keys.py"),
    ],
)
def test_modules_stand_under_their_names(module: str, path: str) -> None:
    """Wherever the sources lie."""
    assert bundled_path(module, runtime_modules()[module]) == path
