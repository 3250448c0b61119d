"""Pipelines near the bounds of one machine: what gives way first, what is counted, and how several are written."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from solidstate.errors import CompileError
from solidstate.planner import fit
from solidstate.planner.compile import Compiled, compile_plan, fitted, substitute
from solidstate.planner.history import history_events
from solidstate.planner.limits import MAX_DEFINITION_BYTES, MAX_HISTORY_EVENTS
from solidstate.planner.nest import Nest, nest_of
from solidstate.planner.plan import ExecutionPlan, OutputRef, Retry, Step, StepInput, StepOutput
from solidstate.planner.states import deployed_bytes
from solidstate.planner.tree import Nested, nodes

ARN = "arn:aws:lambda:us-east-1:123456789012:function:steps"


def step(name: str, *upstream: str, **more: Any) -> Step:
    """A step with one input per upstream step."""
    inputs = tuple(StepInput(f"in_{up}", "output", (OutputRef(up, "result"),)) for up in upstream)
    return Step(name, solid=name, inputs=inputs, outputs=(StepOutput("result"),), **more)


def plan_of(*steps: Step) -> ExecutionPlan:
    """A plan of these steps."""
    return ExecutionPlan("demo", steps)


def chain(steps: int, retry: Retry | None = None) -> ExecutionPlan:
    """Steps in a row."""
    return plan_of(*(step(f"s{n}", *([f"s{n - 1}"] if n else []), retry=retry) for n in range(steps)))


def diamonds(count: int) -> ExecutionPlan:
    """Parallels of two in a row, each with a comment of ours."""
    steps = [step("a0")]
    for n in range(count):
        steps += [step(f"b{n}", f"a{n}"), step(f"c{n}", f"a{n}"), step(f"a{n + 1}", f"b{n}", f"c{n}")]
    return plan_of(*steps)


def maps(regions: int, inside: int = 1, items: int = 10, retry: Retry | None = None) -> ExecutionPlan:
    """Maps in a row, each over ``items`` items with a chain of ``inside`` steps for each."""
    steps: list[Step] = []
    for n in range(regions):
        before = (StepInput("before", "collect", (OutputRef(f"w{n - 1}_0", "result"),)),) if n else ()
        outputs = (StepOutput("items", dynamic=True, max_items=items),)
        steps.append(Step(f"make{n}", "make", inputs=before, outputs=outputs))
        over = OutputRef(f"make{n}", "items")
        for m in range(inside):
            source = over if m == 0 else OutputRef(f"w{n}_{m - 1}", "result")
            inputs = (StepInput("x", "item", (source,)),)
            name = f"w{n}_{m}"
            steps.append(Step(name, name, inputs, (StepOutput("result"),), map_over=over, retry=retry))
    return plan_of(*steps)


def definitions(compiled: Compiled) -> list[bytes]:
    """All machines, the pipeline's own first."""
    return [compiled.definition, *(part.definition for part in compiled.parts)]


def commented(definition: bytes) -> bool:
    """Whether Parallels and Maps say what they are for, in words of ours."""
    todo: list[Any] = [json.loads(definition)]
    while todo:
        for state in todo.pop()["States"].values():
            if state["Type"] in {"Parallel", "Map"}:
                return "Comment" in state
    return False


def divided(nest: Nest) -> bool:
    """Whether any machine but the pipeline's own is needed."""
    return any(isinstance(node, Nested) for tree in (nest.tree, *nest.inside.values()) for node in nodes(tree))


def letters_n(count: int) -> ExecutionPlan:
    """Beside each other: maps for which a step waits that reads something else, too."""
    steps: list[Step] = []
    for n in range(count):
        over = OutputRef(f"make{n}", "items")
        steps.append(Step(over.step, "make", outputs=(StepOutput("items", dynamic=True, max_items=3),)))
        steps.append(Step(f"x{n}", "x", (StepInput("x", "item", (over,)),), (StepOutput("result"),), map_over=over))
        steps += [step(f"v{n}"), step(f"w{n}", f"v{n}"), step(f"y{n}", f"w{n}")]
        of_all = StepInput("all", "collect", (OutputRef(f"x{n}", "result"),))
        of_y = StepInput("y", "output", (OutputRef(f"y{n}", "result"),))
        steps += [Step(f"one{n}", "one", (of_y,)), Step(f"both{n}", "both", (of_all, of_y))]
    return plan_of(*steps)


@pytest.mark.parametrize(
    "plan",
    [diamonds(12), maps(9), maps(2, inside=12), letters_n(5)],
    ids=["parallels", "maps", "large maps", "rendezvous"],
)
def test_comments_give_way_before_another_machine_is_opened(
    plan: ExecutionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With less and less room: one machine with comments, one without, several; what is deployed always fits."""
    nest, seen = nest_of(plan), []
    for room in range(64_000, 12_000, -300):
        monkeypatch.setattr(fit, "MAX_DEFINITION_BYTES", room)
        brief, whole = divided(fitted(plan, nest, brief=True)), divided(fitted(plan, nest, brief=False))
        compiled = compile_plan(plan)
        said = any(map(commented, definitions(compiled)))
        assert (said, bool(compiled.parts)) == (not whole, brief)
        assert max(map(deployed_bytes, map(compact, definitions(compiled)))) <= room
        seen.append((said, bool(compiled.parts)))
    assert list(dict.fromkeys(seen)) == [(True, False), (False, False), (False, True)]


def compact(definition: bytes) -> bytes:
    """Without white space."""
    return json.dumps(json.loads(definition), separators=(",", ":"), ensure_ascii=False).encode()


def test_the_events_of_all_items_are_in_the_history_of_their_machine() -> None:
    """Items of an inline Map: no two Maps with 8 events for each of 1,000 items, and retries, fit into one history."""
    for regions in (1, 2, 3):
        plan = maps(regions, items=1_000, retry=Retry(max_attempts=2))
        compiled = compile_plan(plan)
        assert len(compiled.parts) == regions - 1
        assert all(8_000 < history_events(one, plan) <= MAX_HISTORY_EVENTS for one in definitions(compiled))


def test_the_events_of_items_with_histories_of_their_own_are_not() -> None:
    """However long those are: a distributed Map takes as much of its machine as a short one does."""
    retry = Retry(max_attempts=6_000)
    listed = maps(2, items=1_001, retry=retry)
    assert compile_plan(listed).parts == ()
    first, last = chain(2, retry).steps
    assert len(compile_plan(plan_of(first, last)).parts) == 1
    behind = StepInput("all", "collect", (OutputRef("w1_0", "result"),))
    first = msgspec.structs.replace(first, inputs=(behind,))
    assert len(compile_plan(plan_of(*listed.steps, first, last)).parts) == 1


def test_parts_are_written_in_few_words() -> None:
    """As the machine that starts them: whoever has several does not look at them by eye."""
    compiled = compile_plan(chain(3, Retry(max_attempts=6_000)))
    assert [part.name for part in compiled.parts] == ["Part2", "Part1"]
    for definition in definitions(compiled):
        assert definition.count(b"\n") == 1
        assert b"as an execution of its own" not in definition


def test_what_would_not_fit_for_its_white_space_is_not_laid_out() -> None:
    """A fifth of the quota at a depth of 23 Parallels, where every line begins far to the right."""
    steps: list[Step] = []
    for level in range(23):
        steps.append(step(f"y{level}", *([f"y{level - 1}"] if level else [])))
        steps.append(step(f"x{level}", f"y{level}"))
    steps += [step(f"s{number}", f"s{number - 1}" if number else "y22") for number in range(250)]
    compiled = compile_plan(plan_of(*steps))
    assert compiled.parts == ()
    assert len(compiled.definition) < MAX_DEFINITION_BYTES // 4
    assert compiled.definition.count(b"\n") == 1


def test_parts_are_put_in_the_places_of_their_names() -> None:
    """In every machine that starts them; one that calls no function itself is no mistake."""
    compiled = compile_plan(chain(3, Retry(max_attempts=6_000)))
    arns = {part.name: f"arn:aws:states:us-east-1:123456789012:stateMachine:{part.name}" for part in compiled.parts}
    filled = [substitute(definition, ARN, arns) for definition in definitions(compiled)]
    assert not any(b"${" in one for one in filled)
    started = {state["Parameters"]["StateMachineArn"] for one in filled for state in starters(one)}
    assert started == set(arns.values())
    starter = json.dumps({"States": {"run": {"Parameters": {"StateMachineArn": "${Part1Arn}"}}}}).encode()
    assert arns["Part1"].encode() in substitute(starter, ARN, arns)
    with pytest.raises(CompileError, match="A compiled definition names its function"):
        substitute(starter, ARN)


def starters(definition: bytes) -> list[dict[str, Any]]:
    """The states that start another machine."""
    return [
        state for state in json.loads(definition)["States"].values() if "startExecution" in state.get("Resource", "")
    ]
