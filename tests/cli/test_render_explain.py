"""Explanations as lines: a screen, whatever the pipeline; every figure with its unit; nothing cut without a word."""

from __future__ import annotations

import random

import pytest

from solidstate.cli.render_explain import WIDTH, dollars, explain_lines
from solidstate.cli.text import plain
from solidstate.load import load_pipeline
from solidstate.planner.build import build_plan
from solidstate.planner.estimates import Measured
from solidstate.planner.plan import ExecutionPlan
from tests.planner.test_compile_run import plan_of, step
from tests.planner.test_costs import mapping
from tests.planner.test_explain import N_SHAPE, told

SCREEN = 50
"""Lines of a screen that one need not scroll."""


def lines_of(plan: ExecutionPlan, measured: Measured | None = None, width: int | None = None) -> list[str]:
    """What is printed."""
    return plain(explain_lines(told(plan, measured), width=width)).splitlines()


def test_the_flights_example_fits_on_a_screen() -> None:
    """And no line is longer than it is wide."""
    lines = lines_of(build_plan(load_pipeline("examples/flights/pipeline.py:flights")))
    assert len(lines) <= 46
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("flights  16 steps, ")


def test_an_n_is_explained() -> None:
    """All of it, word for word but for the size of its definition."""
    found = lines_of(N_SHAPE, Measured(("r",), {"a": 3.0, "b": 1.0, "c": 1.0, "d": 1.0}))
    size = next(line for line in found if "of 1,048,576 bytes" in line)
    history = next(line for line in found if "of 25,000" in line)
    assert found == [
        "demo  4 steps, 2 forks, 1 with a rendezvous",
        "",
        "step  runs after  and waits for",
        "a     the start",
        "b     the start",
        "c     a",
        "d     a           b",
        "",
        "rendezvous",
        "  `d` hangs under `a`, which is expected to end last; it also waits for `b`, which the nesting cannot place "
        "before it.",
        "",
        "expected of a run that goes well",
        "  makespan     4.2 s, 1.03 times the critical path of 4.1 s: a > c",
        "  forks        2 branches at the start, 2 after a",
        "  waits        1 step with a rendezvous, none is expected to park",
        "  transitions  8: 4 for steps, Start run, End run, 2 forks",
        "  invocations  6 of the Lambda function, 6.2 GB-s; 9 GETs and 8 PUTs of S3",
        history,
        size,
        "  cost         $0.000348 a run, $87.03 for a million steps: Step Functions $0.000200, Lambda $0.000105, S3 "
        "$0.0000436",
        "  assumed      durations of 1 run; memory as declared, warm functions, small outputs; prices of us-east-1, "
        "2026-11",
    ]


def test_a_large_pipeline_takes_no_more_than_a_screen() -> None:
    """The first steps, and the first with a rendezvous; what is left out is counted."""
    chance = random.Random(7)
    names = [f"a_step_with_a_name_that_is_rather_long_for_a_table_{number}" for number in range(400)]
    steps = [step(name, *chance.sample(names[max(0, n - 20) : n], min(n, 2))) for n, name in enumerate(names)]
    lines = lines_of(plan_of(*steps))
    assert len(lines) <= SCREEN
    assert "and 388 more steps; `--json` has all" in lines
    assert any(line.startswith("  and ") and line.endswith(" more rendezvous; `--json` has all") for line in lines)
    assert any("...that_is_rather" in line or "..." in line for line in lines[3:10])


def test_a_nesting_without_rendezvous_says_so() -> None:
    """And has no paragraph about them."""
    lines = lines_of(plan_of(step("a"), step("b", "a")))
    assert "rendezvous" not in lines
    assert "  forks        none" in lines
    assert "  waits        no rendezvous: the nesting has the order of the data, exactly" in lines


def test_mapped_steps_and_their_items_are_told() -> None:
    """What they are run for, and how many items are assumed or were measured."""
    lines = lines_of(mapping(100))
    assert any(line.startswith("a (each of x.items)  x") for line in lines)
    assert "1 Map, 1 list of items" in " ".join(lines)
    assert "10 items for a, b;" in " ".join(lines)
    measured = lines_of(mapping(100), Measured(("r", "s"), {"a": 1.0}, {"a": 9.0}, {"a": 1, "b": 20}))
    assert "durations of 2 runs, the median of 1.0 s for `x`, `b` and `end`; 1 item for a, 20 items for b;" in " ".join(
        line.strip() for line in measured
    )


def test_a_pipeline_in_several_machines_names_the_one_that_is_nearest_to_a_quota() -> None:
    """By its definition and by its history."""
    names = [f"s{number}" for number in range(4_000)]
    text = "\n".join(lines_of(plan_of(step(names[0]), *(step(name, names[0]) for name in names[1:]))))
    assert " state machines\n" in text
    assert "state machines, the largest " in text
    assert "nested execution" in text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.0, "$0"),
        (12.345, "$12.35"),
        (1234.5, "$1,234.50"),
        (0.5, "$0.500"),
        (0.0009912, "$0.000991"),
        (4e-7, "$0.000000400"),
    ],
)
def test_small_sums_keep_their_digits(amount: float, text: str) -> None:
    """Three that count, and no exponent."""
    assert dollars(amount) == text


def test_a_narrow_terminal_is_heeded() -> None:
    """Long cells are wrapped into it."""
    assert max(map(len, lines_of(N_SHAPE, width=80))) <= 80
