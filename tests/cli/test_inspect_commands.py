"""``list``, ``check`` and ``compile``: pipelines looked at without running them."""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate.load import load_pipeline
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan, substitute
from solidstate.planner.history import history_events
from tests.cli.project import Project


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
            "state_machines": 1,
            "definition_bytes": len(definition),
            "history_events": history_events(definition),
            "errors": [],
        }
    ]


def test_check_finds_what_a_service_would_refuse(project: Project) -> None:
    """A state that would be told more names than fit into a payload fails the check with exit code 1, and its pipeline
    does not compile."""
    project.write(
        "wide.py",
        """
        from solidstate import pipeline, solid

        @solid
        def source() -> int:
            return 1

        @solid
        def each(value: int) -> int:
            return value

        @solid
        def gather(values: list[int]) -> int:
            return sum(values)

        @pipeline
        def fine():
            source()

        @pipeline
        def wide():
            values = [source.alias(f"{number}".rjust(80, "s"))() for number in range(2_800)]
            for number, value in enumerate(values):
                each.alias(f"each_{number}")(value)
            gather(values)
        """,
    )
    ran = project.run("check", "wide.py")
    assert ran.code == 1
    assert ran.out.splitlines()[1] == "failed  wide  1 problem"
    assert ran.err.startswith("error: State `gather` would hand 2")
    assert [one["ok"] for one in project.run("check", "wide.py", "--json").json()] == [True, False]
    assert project.run("compile", "wide.py:wide").code == 2


def test_check_measures_the_largest_of_several_machines(project: Project) -> None:
    """Of a pipeline that does not fit into one."""
    project.write(
        "large.py",
        """
        from solidstate import pipeline, solid

        @solid
        def source() -> int:
            return 1

        @pipeline
        def large():
            for number in range(4_000):
                source.alias(f"s{number}")()
        """,
    )
    (checked,) = project.run("check", "large.py", "--json").json()
    parts = compile_plan(build_plan(load_pipeline("large.py"))).parts
    assert checked["state_machines"] == 1 + len(parts) > 1
    assert checked["definition_bytes"] >= max(len(part.definition) for part in parts)
    said = f"{1 + len(parts)} state machines, the largest definition {checked['definition_bytes']:,} of 1,048,576 bytes"
    assert said in project.run("check", "large.py").out


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


def test_compile_writes_the_parts_beside_the_machine(project: Project) -> None:
    """A pipeline of several machines is several files, and needs a name for them."""
    project.write(
        "large.py",
        """
        from solidstate import pipeline, solid

        @solid
        def add_one(x: int = 0) -> int:
            return x + 1

        @pipeline
        def long():
            value = add_one.alias("step_0")()
            for number in range(1, 1_800):
                value = add_one.alias(f"step_{number}")(value)
        """,
    )
    refused = project.run("compile", "large.py")
    assert refused.code == 2
    assert refused.err == (
        "error: `long` does not fit into one state machine: it compiles to 2.\n"
        "  fix: name a file with `-o`; the parts are written beside it\n"
    )
    assert project.run("compile", "large.py", "-o", "long.asl.json").code == 0
    compiled = compile_plan(build_plan(load_pipeline("large.py")))
    assert (project.root / "long.asl.json").read_bytes() == compiled.definition
    assert (project.root / "long.Part1.asl.json").read_bytes() == compiled.parts[0].definition
