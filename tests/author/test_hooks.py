"""Hooks are declared and attached as data, and refused where they could never run."""

from __future__ import annotations

import re
from typing import Any

import pytest

from solidstate import HookDefinition, Mode, failure_hook, pipeline, solid, success_hook
from solidstate.errors import DefinitionError, DefinitionErrors


@success_hook
def cheer(context: Any) -> None:
    """Tell everybody.

    At length.
    """


@failure_hook(name="page", resources={"pager", "clock"})
def page_somebody(context: Any) -> None:
    context.resources.pager()


def refused(make: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        make()
    return re.sub(r"at: .*:\d+", "at: here", str(caught.value))


def test_a_hook_says_what_it_is() -> None:
    """A tool can read name, occasion, resources and description."""
    assert (cheer.name, cheer.on, cheer.resources, cheer.description) == ("cheer", "success", (), "Tell everybody.")
    assert (page_somebody.name, page_somebody.on) == ("page", "failure")
    assert page_somebody.resources == ("clock", "pager")


def test_hooks_keep_their_order_and_those_of_a_set_go_by_name() -> None:
    """A set has no order of its own, and two runs of one program must call them alike."""

    @solid(hooks=[page_somebody, cheer])
    def listed() -> None: ...

    @solid(hooks={page_somebody, cheer})
    def gathered() -> None: ...

    assert [hook.name for hook in listed.hooks] == ["page", "cheer"]
    assert [hook.name for hook in gathered.hooks] == ["cheer", "page"]


def test_with_hooks_makes_another_solid() -> None:
    """The solid itself, which somebody else may own, stays as it is."""

    @solid(hooks=[cheer])
    def load() -> None: ...

    assert [hook.name for hook in load.with_hooks([page_somebody]).hooks] == ["cheer", "page"]
    assert [hook.name for hook in load.hooks] == ["cheer"]


def test_something_else_is_refused() -> None:
    """A plain function has no occasion."""
    tell: Any = lambda context: None  # noqa: E731 - not typed as what it is
    text = refused(lambda: solid(name="load", hooks=[tell])(lambda: None))
    assert text.splitlines()[0].startswith("`hooks` of solid `load` must be hooks, got <function ")
    assert text.splitlines()[-1] == (
        "  fix: decorate the function with `@success_hook` or `@failure_hook`, and write `hooks={it}`"
    )


def test_two_of_one_name_are_refused() -> None:
    """Their events could not be told apart."""
    other = HookDefinition("cheer", print, "success")
    assert refused(lambda: solid(name="load", hooks=[cheer, other])(lambda: None)) == (
        "Solid `load` has two success hooks named `cheer`.\n"
        "  at: here\n"
        '  fix: give one of them a name of its own: `@failure_hook(name="...")`'
    )


def test_a_hook_takes_its_context_and_nothing_else() -> None:
    """Nobody would be there to pass a second argument."""

    def tell(context: Any, channel: str) -> None: ...

    text = refused(lambda: success_hook(tell))
    assert text.splitlines()[0] == "Hook `tell` must take one parameter, its context; it takes 2."
    assert text.splitlines()[-1] == "  fix: write `def tell(context): ...`"


def test_a_mode_must_provide_what_hooks_need() -> None:
    """For hooks of solids and of the pipeline alike, when the pipeline is built."""

    @solid(hooks=[page_somebody])
    def load() -> None: ...

    @failure_hook(resources={"siren"})
    def howl(context: Any) -> None: ...

    def body() -> None:
        load()

    with pytest.raises(DefinitionErrors) as caught:
        pipeline(name="watched", modes=[Mode("night", {"pager": 1})], hooks=[howl])(body)
    assert str(caught.value) == (
        "Pipeline `watched`: 2 errors\n"
        "  1. Resource `clock` is required by hook `page`, but mode `night` does not provide it.\n"
        "    at: watched.modes.night\n"
        '    fix: add it: `Mode("night", resources={"clock": ...})`\n'
        "  2. Resource `siren` is required by hook `howl`, but mode `night` does not provide it.\n"
        "    at: watched.modes.night\n"
        '    fix: add it: `Mode("night", resources={"siren": ...})`'
    )
