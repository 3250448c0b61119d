"""``solidstate gc``: what is listed, what is removed, in full wording."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from solidstate.cli import gc_command
from solidstate.infra.home import home_from
from solidstate.storage import keys
from tests.cli.letters import letters
from tests.cli.project import Project
from tests.stacks import Stack, deployed

DOCUMENT = {"solids": {"read": {"config": {"word": "abc"}}}}
ON = ("--stack", "letters-gc")
DAY = 24 * 3600


class Later:
    """The clock of the command, so many days on."""

    def __init__(self, days: float) -> None:
        self._ahead = days * DAY

    def time(self) -> float:
        return time.time() + self._ahead


@pytest.fixture
def local(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two runs, of which the second takes a result from the first, and a killed attempt's data."""
    project.write(
        "two.py",
        """
        from solidstate import pipeline, solid

        @solid
        def first() -> int:
            return 1

        @solid
        def second(n: int) -> int:
            return n

        @pipeline
        def two():
            second(first())
        """,
    )
    assert project.run("run", "two.py", "--engine", "inline", "--run-id", "a").code == 0
    more = ("--steps", "second", "--from-run", "a")
    assert project.run("run", "two.py", "--engine", "inline", "--run-id", "b", *more).code == 0
    store = home_from().store
    store.put(keys.data("two", "first", "a", "001-dead", "result"), b"x" * 2048)
    monkeypatch.setattr(gc_command, "time", Later(2))
    return project


def columns(text: str) -> list[str]:
    clock = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "WHEN", text)
    return [re.sub(r" {2,}", "  ", one).strip() for one in clock.splitlines()]


def test_orphans_are_listed_then_removed(local: Project) -> None:
    """Nothing goes without `--delete`."""
    expected = ["what  run  pipeline  ended  objects  size", "orphaned attempts  a  two  WHEN  1  2.0 KiB"]
    for _ in range(2):
        ran = local.run("gc")
        assert (ran.code, columns(ran.out)) == (0, expected)
        assert ran.err == "\n1 object, 2.0 KiB; nothing was removed: add `--delete`\n"
    ran = local.run("gc", "--delete")
    assert (ran.code, columns(ran.out), ran.err) == (0, expected, "\nremoved 1 object, 2.0 KiB\n")
    assert local.run("gc", "--delete") == (0, "", "there is nothing to remove\n")
    assert local.run("show", "a").code == local.run("show", "b").code == 0


def test_whole_runs(local: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all they have; none is left to show."""
    monkeypatch.setattr(gc_command, "time", Later(40))
    found = local.run("gc", "--older-than", "30d", "--json").json()
    assert [(one["kind"], one["run"], one["objects"]) for one in found["found"]] == [
        ("expired run", "a", 6),
        ("expired run", "b", 4),
    ]
    assert (found["removed"], found["kept_for"], found["unread"]) == (False, {}, [])
    ran = local.run("gc", "--older-than", "30d", "--delete")
    assert re.fullmatch(r"\nremoved 10 objects, \d\.\d KiB\n", ran.err)
    assert local.run("runs").err.startswith("No runs in `")


def test_a_wrong_age(local: Project) -> None:
    """What one looks like is said."""
    for age in ("30", "d", "0d", "1y", "-1d", "\u0661d"):
        ran = local.run("gc", f"--older-than={age}")
        assert (ran.code, ran.out) == (2, "")
        assert f"expected a time such as `30d`, `12h` or `4w`, got `{age}`" in ran.err


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.setattr(gc_command, "time", Later(40))
    with deployed("letters-gc", [letters]) as found:
        found.run("letters", DOCUMENT, "done")
        yield found


@pytest.mark.slow
def test_a_deployed_pipeline(project: Project, stack: Stack) -> None:
    """Orphans and whole runs; what goes on is left alone, however long ago it began."""
    orphan = keys.data("letters", "read", "done", "001-dead", "result")
    stack.store.put(orphan, b"x" * 100)
    stack.invoker.hold("count")
    stack.begin("letters", DOCUMENT, "going", "count")
    stack.store.put(keys.data("letters", "read", "going", "001-dead", "result"), b"x")
    ran = project.run("gc", *ON, "--delete")
    assert columns(ran.out)[1:] == ["orphaned attempts  done  letters  WHEN  1  100 B"]
    assert not stack.store.exists(orphan)
    ran = project.run("gc", *ON, "--older-than", "4w", "--delete")
    assert [one.split("  ")[:2] for one in columns(ran.out)[1:]] == [["expired run", "done"]]
    left = {info.key for info in stack.store.list("v1/commits/")}
    assert left == {keys.commit("letters", "read", "going")}
    assert stack.store.exists(keys.data("letters", "read", "going", "001-dead", "result"))
    stack.invoker.reset()
