"""While a pipeline is built, calls are recorded and outputs are promises."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest

from solidstate import DefinitionError, Out, solid
from solidstate.composition import Composition, composing, current_composition
from solidstate.handles import OutputHandle, OutputHandles


@solid
def one() -> int:
    return 1


@solid(outs={"a": Out(int), "b": Out(int)})
def two() -> Any:
    return 1, 2


@solid(outs={})
def none() -> None: ...


def test_what_a_call_gives() -> None:
    """A handle, several, or nothing, by the number of outputs."""
    with composing(Composition("p")) as composition:
        assert isinstance(one(), OutputHandle)
        assert isinstance(two(), OutputHandles)
        assert none() is None
    assert list(composition.nodes) == ["one", "two", "none"]
    assert current_composition() is None


def test_handles_are_equal_by_what_they_promise() -> None:
    """A copy of a handle is as good as the handle; the same name in another pipeline is another output."""
    with composing(Composition("p")):
        handle = one()
    with composing(Composition("q")):
        other = one()
    assert copy.copy(handle) == handle
    assert handle != other


def test_problems_are_collected() -> None:
    """One wrong call does not hide the next."""
    with composing(Composition("p")) as composition:
        one()
        one()
        one(5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # what is tested
        one(x=1)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # likewise
    assert [problem.problem for problem in composition.problems] == ["Pipeline `p` uses the name `one` twice."] * 3


def test_another_thread_is_not_being_composed() -> None:
    """Composition belongs to the thread of control that runs the body."""
    found: list[Any] = []
    with composing(Composition("p")):
        thread = threading.Thread(target=lambda: found.append(one()))
        thread.start()
        thread.join()
    assert found == [1]


@pytest.mark.parametrize(
    "misuse",
    [
        bool,
        list,
        lambda h: h.x,
        lambda h: h["x"],
        lambda h: h == 1,
        lambda h: h != "a",
        lambda h: 1 in h,
    ],
)
def test_a_handle_is_no_value(misuse: Any) -> None:
    """Using one like a value says so, instead of an answer that means nothing."""
    with composing(Composition("p")):
        handle = one()
    with pytest.raises(DefinitionError, match="is not possible while a pipeline is being built"):
        misuse(handle)
