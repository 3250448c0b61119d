"""Paths, payload templates and results as the simulator reads them."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate.planner.simulated_data import SimulationError, fill_in, look_up, placed, put_result

DATA = {"run": {"id": "r"}, "items": ["x", {"a b": 1}], "Cause": '{"errorMessage": "no"}'}
CONTEXT = {"State": {"RetryCount": 2}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", DATA),
        ("$.run.id", "r"),
        ("$.items[1]['a b']", 1),
        ("$$.State.RetryCount", 2),
        ("States.StringToJson($.Cause)", {"errorMessage": "no"}),
    ],
)
def test_paths_lead_somewhere(path: str, found: Any) -> None:
    """Names, numbers, quoted names; the context; JSON inside of a text."""
    assert look_up(path, DATA, CONTEXT) == found


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("$.run.name", "The path `$.run.name` leads to nothing: there is no `name`."),
        ("$.items[2]", "The path `$.items[2]` leads to nothing: there is no `2`."),
        ("$.run.id.x", "The path `$.run.id.x` leads to nothing: there is no `x`."),
        ("$.items[*]", "`$.items[*]` is no path that the simulator reads."),
        ("run.id", "`run.id` is no path that the simulator reads."),
        ("States.UUID()", "`States.UUID()` is no path that the simulator reads."),
    ],
)
def test_paths_that_lead_nowhere_are_faults(path: str, problem: str) -> None:
    """The service would fail the execution, or the simulator does not know."""
    with pytest.raises(SimulationError) as caught:
        look_up(path, DATA, CONTEXT)
    assert caught.value.problem == problem


def test_templates_are_filled_in() -> None:
    """Fields that end in ``.$`` at any depth; everything else stays as it is."""
    template = {"a": 1, "b.$": "$.run", "c": {"d.$": "$$.State.RetryCount"}, "e": [{"f.$": "$.items[0]"}]}
    assert fill_in(template, DATA, CONTEXT) == {"a": 1, "b": {"id": "r"}, "c": {"d": 2}, "e": [{"f": "x"}]}


@pytest.mark.parametrize(
    ("state", "output"),
    [
        ({}, "new"),
        ({"ResultPath": None}, {"run": 1}),
        ({"ResultPath": "$.result"}, {"run": 1, "result": "new"}),
        ({"ResultPath": "$.result", "OutputPath": "$.result"}, "new"),
        ({"ResultPath": "$.result", "OutputPath": None}, {}),
    ],
)
def test_results_are_put_where_the_state_says(state: dict[str, Any], output: Any) -> None:
    """First ``ResultPath``, then ``OutputPath``; the input itself is not changed."""
    data = {"run": 1}
    assert put_result(state, data, "new") == output
    assert data == {"run": 1}


def test_results_deeper_inside_are_not_understood() -> None:
    """The compiler writes none."""
    with pytest.raises(SimulationError, match=r"The simulator puts no result at `\$.a.b`"):
        placed("$.a.b", {}, 1)
