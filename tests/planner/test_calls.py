"""What definitions call, read from the definitions themselves."""

from __future__ import annotations

from solidstate.planner.build import build_plan
from solidstate.planner.calls import Calls, calls_of
from solidstate.planner.compile import compile_plan
from tests.infra.templates import deep, letter_n, mapped, plain, shop


def test_one_function() -> None:
    """Steps that want nothing special call the step function, and nobody answers tokens."""
    definition = compile_plan(build_plan(plain)).definition
    assert calls_of(definition) == Calls(("",), (), (), (), distributed=False)


def test_functions_of_groups() -> None:
    """In the order in which they are called first."""
    definition = compile_plan(build_plan(shop)).definition
    assert calls_of(definition).groups == ("", "Orders", "Memory4096Disk2048", "PublishReports")


def test_rendezvous() -> None:
    """Who waits or wakes answers tokens; only who waits parks."""
    calls = calls_of(compile_plan(build_plan(letter_n)).definition)
    assert set(calls.parking) <= {"c", "d", "e", "f"}
    assert calls.parking
    assert "" in calls.answering


def test_a_distributed_map() -> None:
    """It starts executions of its own machine; the functions that its items call are seen too."""
    calls = calls_of(compile_plan(build_plan(mapped)).definition)
    assert calls.distributed
    assert calls.groups == ("", "Memory4096Disk2048")


def test_parts() -> None:
    """Each definition names those that it starts itself."""
    compiled = compile_plan(build_plan(deep()))
    started = [calls_of(part.definition).parts for part in compiled.parts]
    assert [part.name for part in compiled.parts] == [
        name for parts in [*started, calls_of(compiled.definition).parts] for name in parts
    ]
    assert len(compiled.parts) > 0
