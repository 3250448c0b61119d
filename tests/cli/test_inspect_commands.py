"""``list``, ``check``, ``plan`` and ``compile``: pipelines looked at without running them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate.load import load_pipeline
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan, substitute
from solidstate.planner.history import history_events
from solidstate.planner.plan import decode_plan
from tests.cli.project import Project

LETTER_N = """
    from solidstate import In, Nothing, Out, RetryPolicy, pipeline, solid


    @solid
    def a() -> int:
        return 1


    @solid
    def b() -> int:
        return 1


    @solid(retry=RetryPolicy(max_attempts=3))
    def c(left: int, right: int, factor: float = 1.0) -> int:
        '''Put both together.'''
        return left + right


    @solid(outs={"most": Out(str, "what there is"), "rest": Out(str, optional=True)})
    def d(right: int):
        ...


    @solid(ins={"after": In(Nothing)})
    def e(parts: list[int]) -> int:
        return 0


    @pipeline
    def n():
        '''The letter N.'''
        left, right = a(), b()
        first = c(left, right)
        most = d(right).most
        e(after=most, parts=[left, first])
"""


@pytest.fixture
def letter_n(project: Project) -> Project:
    project.write("n.py", LETTER_N)
    return project


def test_list_says_what_a_module_offers(words: Project) -> None:
    """Modes with their resources, presets with their mode, steps with what they do."""
    ran = words.run("list", "words.py")
    assert ran == (
        0,
        "words  Count long words.\n"
        "  mode    local        (1 resource: clock)\n"
        "  mode    prod         As it is deployed. (1 resource: clock)\n"
        "  preset  sample       Three words. (mode local)\n"
        "  step    read         Words of a text.\n"
        "  step    split\n"
        "  step    count\n"
        "  step    count_short  (solid count)\n",
        "",
    )


def test_list_as_data(words: Project) -> None:
    """The same as JSON; a target with a name lists that pipeline alone."""
    (listed,) = words.run("list", "words.py:words", "--json").json()
    assert listed["name"] == "words"
    assert listed["presets"] == [{"name": "sample", "description": "Three words.", "mode": "local"}]
    assert listed["steps"][3] == {"name": "count_short", "solid": "count", "description": ""}


def test_check_measures_what_it_lets_pass(words: Project) -> None:
    """A good pipeline is measured against the quotas, in words and as data."""
    definition = compile_plan(build_plan(load_pipeline("words.py"))).definition
    ran = words.run("check", "words.py")
    assert ran == (
        0,
        f"ok  words  4 steps, definition {len(definition):,} of 1,048,576 bytes, "
        f"history at most {history_events(definition)} of 25,000 events\n",
        "",
    )
    assert words.run("check", "words.py", "--json").json() == [
        {
            "pipeline": "words",
            "ok": True,
            "steps": 4,
            "definition_bytes": len(definition),
            "history_events": history_events(definition),
            "errors": [],
        }
    ]


def test_check_finds_what_a_service_would_refuse(project: Project) -> None:
    """A pipeline that could outgrow an execution's history fails the check with exit code 1, and says how to go on."""
    project.write(
        "patient.py",
        """
        from solidstate import RetryPolicy, pipeline, solid

        @solid(retry=RetryPolicy(max_attempts=100))
        def stubborn() -> int:
            return 1

        @pipeline
        def fine():
            stubborn()

        @pipeline
        def patient():
            for number in range(90):
                stubborn.alias(f"s{number}")()
        """,
    )
    ran = project.run("check", "patient.py")
    events = next(one["history_events"] for one in project.run("check", "patient.py", "--json").json() if one["ok"])
    assert ran.code == 1
    assert ran.out.splitlines()[0].endswith(f"history at most {events} of 25,000 events")
    assert ran.out.splitlines()[1] == "failed  patient  1 problem"
    assert ran.err.startswith("error: A run of `patient` may write 27,")
    assert project.run("compile", "patient.py:patient").code == 2


def test_check_reads_presets(words: Project) -> None:
    """A preset with a wrong value fails the check; one that leaves something open does not."""
    text = (words.root / "words.py").read_text()
    words.write("words.py", text.replace('{"path": "a quick word"}', '{"limit": "all"}'))
    ran = words.run("check", "words.py")
    assert ran.code == 1
    assert ran.out == "failed  words  1 problem\n"
    assert ran.err.startswith(
        "error: Preset `sample` of pipeline `words`: Expected `int | None`, got 'all' of type `str`.\n"
        "  at: solids.read.config.limit\n"
    )
    (checked,) = words.run("check", "words.py", "--json").json()
    assert (checked["ok"], [error["path"] for error in checked["errors"]]) == (False, ["solids.read.config.limit"])


def test_plan_draws_the_nesting(letter_n: Project) -> None:
    """Steps below each other run one after the other, branches side by side; each says what it takes and gives."""
    ran = letter_n.run("plan", "n.py")
    assert ran.code == 0
    assert ran.out == (
        "n  5 steps, 3 one after the other\n"
        "The letter N.\n"
        "\n"
        "┬ 2 side by side\n"
        "├─ a\n"
        "│      out  result  int\n"
        "╰─ b\n"
        "       out  result  int\n"
        "┬ 2 side by side\n"
        "├─ c  Put both together.\n"
        "│      in   left    int    from a\n"
        "│      in   right   int    from b\n"
        "│      in   factor  float  from the run request, or its default\n"
        "│      out  result  int\n"
        "│      retry  up to 3 attempts\n"
        "╰─ d\n"
        "       in   right  int  from b\n"
        "       out  most   str  what there is\n"
        "       out  rest   str  optional\n"
        "e\n"
        "    in   parts   list[int]   from [a, c]\n"
        "    in   after   order only  from d.most\n"
        "    out  result  int\n"
    )


def test_plan_explains_waits(letter_n: Project) -> None:
    """What data makes a step wait for, what the machine adds to it, and what that costs."""
    ran = letter_n.run("plan", "n.py", "--explain")
    assert ran.code == 0
    assert ran.out == (
        "n  5 steps\n"
        "\n"
        "a  waits for  nothing\n"
        "b  waits for  nothing\n"
        "c  waits for  a (left), b (right)\n"
        "d  waits for  b (right)\n"
        "   and also   a: added by the machine\n"
        "e  waits for  a (parts), c (parts), d (after)\n"
        "\n"
        "The state machine adds 1 ordering that the data does not ask for:\n"
        "Step Functions can only nest sequences and Parallels, and this graph is no such nesting.\n"
        "What it costs: the longest way through the machine is not longer than that through the data: 3 steps.\n"
    )
    document = letter_n.run("plan", "n.py", "--explain", "--json").json()
    assert document["steps"][3] == {"step": "d", "waits_for": ["b"], "machine_adds": ["a"]}
    assert (document["added_orderings"], document["machine_depth"], document["data_depth"]) == (1, 3, 3)


def test_plan_as_data_is_the_plan(letter_n: Project) -> None:
    """``--json`` is the plan itself: it reads back as what the planner makes."""
    ran = letter_n.run("plan", "n.py", "--json")
    assert decode_plan(ran.out.encode()) == build_plan(load_pipeline("n.py"))


def test_compile_is_the_definition(letter_n: Project) -> None:
    """Stdout and ``-o`` have the compiler's very bytes; ``--function-arn`` fills in the function."""
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:steps"
    definition = compile_plan(build_plan(load_pipeline("n.py"))).definition
    assert letter_n.run("compile", "n.py").out.encode() == definition
    assert letter_n.run("compile", "n.py", "--function-arn", arn).out.encode() == substitute(definition, arn)
    ran = letter_n.run("compile", "n.py", "--output", "machine.asl.json")
    assert ran == (0, "", f"wrote machine.asl.json: {len(definition):,} bytes\n")
    assert (letter_n.root / "machine.asl.json").read_bytes() == definition
    decoded: dict[str, Any] = msgspec.json.decode(definition)
    assert decoded["StartAt"] == "Start run"
