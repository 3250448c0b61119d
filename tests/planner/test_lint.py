"""The judge of definitions: silent on a good one, and one planted fault at a time is found where it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from solidstate.planner.lint import lint

Fault = Callable[[dict[str, Any]], None]


def task(**more: Any) -> dict[str, Any]:
    """A Task with a Catch and a Retry."""
    return {
        "Type": "Task",
        "Resource": "arn",
        "Parameters": {"kind": "step", "step": "s", "run.$": "$.run", "retry.$": "$$.State.RetryCount"},
        "ResultPath": "$.result",
        "Retry": [{"ErrorEquals": ["A", "B"], "MaxAttempts": 2}, {"ErrorEquals": ["C"], "IntervalSeconds": 1}],
        **more,
    }


def caught(target: str, **more: Any) -> dict[str, Any]:
    """A Task that goes on to ``target`` after an error."""
    return task(Catch=[{"ErrorEquals": ["A"], "Next": target}, {"ErrorEquals": ["States.ALL"], "Next": target}], **more)


def machine() -> dict[str, Any]:
    """A definition without faults."""
    branch = {
        "StartAt": "left",
        "States": {"left": caught("lost", End=True), "lost": {"Type": "Succeed", "OutputPath": None}},
    }
    other = {"StartAt": "right", "States": {"right": caught("gone", End=True), "gone": {"Type": "Succeed"}}}
    paths = {
        "cause.$": "States.StringToJson($.Cause)",
        "name.$": "$$.Execution.Name",
        "n.$": "States.MathAdd($.list[0], 1)",
    }
    return {
        "StartAt": "first",
        "States": {
            "first": caught("both", Next="both"),
            "both": {"Type": "Parallel", "Branches": [branch, other], "ResultPath": None, "Next": "ask"},
            "ask": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.x", "IsNull": True, "Next": "bad"}],
                "Default": "read",
            },
            "read": {"Type": "Pass", "Parameters": paths, "Next": "bad"},
            "bad": {"Type": "Fail", "Error": "E", "CausePath": "$.cause"},
        },
    }


def found(definition: dict[str, Any]) -> list[str]:
    """Place and problem of each fault."""
    return [f"{fault.path}: {fault.problem}" for fault in lint(json.dumps(definition).encode())]


def test_a_good_definition_has_no_faults() -> None:
    """Nothing is reported without need."""
    assert found(machine()) == []


def put(state: str, **fields: Any) -> Fault:
    """Plant fields into a state of the machine; a value of ``...`` removes the field."""

    def plant(definition: dict[str, Any]) -> None:
        for field, value in fields.items():
            if value is ...:
                del definition["States"][state][field]
            else:
                definition["States"][state][field] = value

    return plant


def rename_branch_state(definition: dict[str, Any]) -> None:
    """Give a state of a branch the name of one outside."""
    branch = definition["States"]["both"]["Branches"][1]
    branch["StartAt"], branch["States"] = "first", {"first": task(End=True)}


def leave_branch(definition: dict[str, Any]) -> None:
    """Lead from a branch to the state after it."""
    definition["States"]["both"]["Branches"][0]["States"]["left"]["Catch"][1]["Next"] = "ask"


def add_state(name: str) -> Fault:
    """A state nothing leads to."""
    return lambda definition: definition["States"].update({name: {"Type": "Succeed"}})


def start_at(name: str) -> Fault:
    """Begin elsewhere."""
    return lambda definition: definition.update(StartAt=name)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (start_at("frist"), "StartAt: There is no state `frist` in this scope; the nearest name is `first`."),
        (
            put("read", Next="bda"),
            "States.read.Next: There is no state `bda` in this scope; the nearest name is `bad`.",
        ),
        (put("ask", Default="x"), "States.ask.Default: There is no state `x` in this scope."),
        (leave_branch, "States.both.Branches[0].States.left.Catch[1].Next: There is no state `ask` in this scope."),
        (put("read", Next=...), "States.read: A Pass state has either `Next` or `End`, but this one has none."),
        (put("first", End=True), "States.first: A Task state has either `Next` or `End`, but this one has both."),
        (put("bad", Next="read"), "States.bad: A Fail state has neither `Next` nor `End`."),
        (
            put("bad", Type="Crash"),
            "States.bad.Type: A state type is one of `Choice`, `Fail`, `Map`, `Parallel`, "
            "`Pass`, `Succeed`, `Task`, `Wait`, but this one is `Crash`.",
        ),
        (put("both", Branches=[]), "States.both: A Parallel state has at least one branch, but this one has none."),
        (add_state("island"), "States: No way leads from StartAt to `island`."),
        (add_state("i" * 81), f"States.{'i' * 81}: A state name has 1 to 80 characters, but this one has 81."),
        (add_state("a\nb"), "States.a\nb: A state name has printable characters only, but this one is 'a\\nb'."),
        (
            rename_branch_state,
            "States.both.Branches[1].States.first: The state name `first` is already used at States.first.",
        ),
        (
            put("first", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "first"}]),
            "States.first.Catch[0].Next: A Catch may not lead back to its own state.",
        ),
        (
            put("first", Catch=[{"ErrorEquals": ["States.ALL", "A"], "Next": "both"}]),
            "States.first.Catch[0]: `States.ALL` stands alone, but here it stands with 1 more.",
        ),
        (
            put("first", Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]),
            "States.first.Retry[0]: `States.ALL` comes last, but here 1 more follow.",
        ),
        (
            put("first", Retry=[{"ErrorEquals": []}]),
            "States.first.Retry[0]: `ErrorEquals` names at least one error, but here it names none.",
        ),
        (
            put("first", Retry=[{"ErrorEquals": ["A"], "BackoffRate": 0.5}]),
            "States.first.Retry[0].BackoffRate: `BackoffRate` is at least 1, but here it is 0.5.",
        ),
        (
            put("first", InputPath="$.a["),
            "States.first.InputPath: A path looks like `$.name[0]`, but this one is `$.a[`.",
        ),
        (
            put("first", ResultPath="$$.a"),
            "States.first.ResultPath: A result cannot be put into the context object, but this path is `$$.a`.",
        ),
        (
            put("first", Catch=[{"ErrorEquals": ["A"], "ResultPath": "a", "Next": "both"}]),
            "States.first.Catch[0].ResultPath: A path looks like `$.name[0]`, but this one is `a`.",
        ),
        (
            put("read", Parameters={"a": [{"b.$": "c"}]}),
            "States.read.Parameters.a[0].b.$: A path looks like `$.name[0]`, but this one is `c`.",
        ),
    ],
)
def test_planted_faults_are_found(fault: Fault, expected: str) -> None:
    """Each fault is reported once, at its place."""
    definition = machine()
    fault(definition)
    assert expected in found(definition)


def test_a_key_given_twice_is_found() -> None:
    """A parser would silently keep the last of two states."""
    text = b'{"StartAt": "a", "States": {"a": {"Type": "Fail"}, "a": {"Type": "Succeed"}}}'
    assert [fault.problem for fault in lint(text)] == ["The key `a` stands more than once in one object."]


def test_a_definition_too_large_is_found() -> None:
    """Also when it comes from elsewhere than our compiler."""
    text = json.dumps({"Comment": "x" * 1_048_576, **machine()}).encode()
    assert [fault.problem for fault in lint(text)] == [f"The definition has {len(text):,} bytes, more than 1,048,576."]
