"""Hostile names typed on the command line, or written in documents it reads: refused in words, or shown as escapes."""

from __future__ import annotations

import json

import pytest

from tests.cli.project import Project
from tests.security.hostile import NAMES, assert_harmless, assert_told

_QUICK = ("long", "right_to_left", "newline")
MOST_SLOWLY = pytest.mark.parametrize(
    "name",
    [pytest.param(name, id=what, marks=() if what in _QUICK else pytest.mark.slow) for what, name in NAMES.items()],
)
"""Thirty commands a name take their time."""
REFUSED: dict[str, list[str]] = {
    "target module": ["list", "NAME"],
    "target pipeline": ["list", "words.py:NAME"],
    "target of run": ["run", "NAME"],
    "run id": ["run", "words.py", "--preset", "sample", "--run-id", "NAME"],
    "mode": ["run", "words.py", "--preset", "sample", "--mode", "NAME"],
    "preset": ["run", "words.py", "--preset", "NAME"],
    "selection": ["run", "words.py", "--preset", "sample", "--steps", "NAME"],
    "from run": ["run", "words.py", "--preset", "sample", "--set", "from_run=NAME"],
    "reused run": ["run", "words.py", "--preset", "sample", "--steps", "count", "--set", "from_run=NAME"],
    "set without value": ["run", "words.py", "--set", "NAME"],
    "set a key": ["run", "words.py", "--preset", "sample", "--set", "NAME=1"],
    "set a step": ["run", "words.py", "--preset", "sample", "--set", "solids.NAME.config.path=1"],
    "set a number": ["run", "words.py", "--preset", "sample", "--set", "solids.read.config.limit=NAME"],
    "request file": ["run", "words.py", "--config", "NAME"],
    "engine": ["run", "words.py", "--engine", "NAME"],
    "home": ["run", "words.py", "--preset", "sample", "--engine", "inline", "--home", "words.py/NAME"],
    "tag": ["run", "words.py", "--preset", "sample", "--tag", "NAME"],
    "failed run": ["run", "words.py", "--preset", "sample", "--from-failure", "NAME"],
    "shown run": ["show", "NAME"],
    "run of events": ["events", "NAME"],
    "durations": ["plan", "words.py", "--durations", "NAME"],
    "stack": ["runs", "--stack", "NAME"],
    "bucket to cancel": ["cancel", "--stack", "NAME", "r1"],
    "command": ["NAME"],
    "option": ["runs", "--NAME"],
    "output": ["compile", "words.py", "-o", "words.py/NAME"],
    "checked document": ["config", "check", "words.py", "NAME"],
    "layer": ["build", "words.py", "--layer-provided", "NAME"],
    "runtime": ["build", "words.py", "--runtime", "NAME"],
}


@MOST_SLOWLY
def test_what_is_typed_is_refused_in_words(words: Project, name: str) -> None:
    """At each place one short error on stderr without a steering character, and nothing on stdout."""
    for place, arguments in REFUSED.items():
        ran = words.run(*(argument.replace("NAME", name) for argument in arguments))
        assert (place, ran.code in (1, 2), ran.out) == (place, True, "")
        assert_told(ran.err)


@MOST_SLOWLY
def test_an_error_as_json_is_ascii(words: Project, name: str) -> None:
    """A program, or the terminal it prints to, gets the name escaped."""
    ran = words.run("show", name, "--json")
    assert ran.out.isascii()
    assert set(json.loads(ran.out)) == {"error"}
    assert_told(ran.err)


@MOST_SLOWLY
def test_documents_are_no_way_in(words: Project, name: str) -> None:
    """As a key, a value, a step, a mode and a tag of a request, in YAML and in JSON: taken as text, or refused."""
    config = {"path": name, name: name}
    documents = [
        {"preset": "sample", "solids": {"read": {"config": config}}},
        {"preset": "sample", "solids": {name: {}}, "resources": {name: {}}, name: name},
        {"mode": name, "preset": name, "steps": name, "from_run": name},
    ]
    for document in documents:
        for file in ("request.json", "request.yaml"):
            words.write(file, json.dumps(document).encode())
            ran = words.run("run", "words.py", "--engine", "inline", "--config", file)
            assert ran.code == 2
            assert_told(ran.err)


@MOST_SLOWLY
def test_free_text_is_neutralised_where_it_is_shown(words: Project, name: str) -> None:
    """A tag and a value of config may be any text; whatever later shows them, as text or as JSON, escapes them."""
    document = {"preset": "sample", "tags": {f"k{name}": name}, "solids": {"read": {"config": {"path": f"a {name}"}}}}
    words.write("request.json", json.dumps(document).encode())
    ran = words.run("run", "words.py", "--engine", "inline", "--config", "request.json", "--run-id", "r1")
    if name == "a\ud800b":  # it has no form in UTF-8, so it cannot be recorded
        assert ran.code == 2
        assert_told(ran.err)
        return
    commands = [["runs"], ["show", "r1"], ["events", "r1"], ["runs", "--json"], ["show", "r1", "--json"]]
    commands += [["events", "r1", "--json"]]
    for shown in (ran, *(words.run(*command) for command in commands)):
        assert shown.code == 0
        assert_harmless(shown.out.replace("\nerror: forged", "") if shown.out.startswith(("{", "[")) else shown.out)
        assert_harmless(shown.err.replace("printed by a solid\n", ""))


@MOST_SLOWLY
def test_a_new_project_is_one_folder(project: Project, name: str) -> None:
    """A name that nobody could read is refused; of others all files are below the folder that was named."""
    folder = project.root / "inside" / name.lstrip("/")
    ran = project.run("new", str(folder))
    if ran.code != 0:
        assert_told(ran.err)
        return
    assert name.isprintable()
    assert_harmless(ran.out)
    made = [path for path in project.root.rglob("*") if path.is_file()]
    assert all(path.resolve().is_relative_to(folder.resolve()) for path in made)


AUTHORED = """
    from solidstate import Materialization, Mode, Out, Output, Preset, SolidType, TypeCheck, pipeline, solid

    NAME = {name!r}
    Kind = SolidType(NAME, check=lambda value: TypeCheck(True, NAME, {{NAME: NAME}}), python=int)


    @solid(description=NAME, tags={{"k": NAME, NAME: "v"}}, outs={{"result": Out(Kind, NAME)}})
    def told(context, value: int = 1):
        context.log.info(NAME, **{{"field": NAME}})
        context.emit(Materialization(NAME, NAME, NAME, {{NAME: NAME}}))
        yield Output(value, metadata={{NAME: NAME}})


    @solid
    def raises(value: int):
        raise ValueError(NAME)


    @pipeline(
        description=NAME,
        tags={{NAME: NAME}},
        modes=[Mode("m", {{}}, NAME)],
        presets=[Preset("p", "m", {{}}, NAME)],
    )
    def free():
        raises(told())
"""
SHOWN = [
    ["list", "free.py"],
    ["list", "free.py", "--json"],
    ["check", "free.py"],
    ["plan", "free.py"],
    ["plan", "free.py", "--explain"],
    ["plan", "free.py", "--json"],
    ["compile", "free.py"],
    ["template", "free.py", "-o", "-"],
    ["config", "scaffold", "free.py"],
    ["config", "schema", "free.py"],
    ["run", "free.py", "--engine", "inline", "--run-id", "r1"],
    ["runs"],
    ["show", "r1"],
    ["--debug", "show", "r1"],
    ["events", "r1"],
    ["events", "r1", "--json"],
    ["show", "r1", "--json"],
]


@MOST_SLOWLY
def test_what_authors_and_steps_say_steers_nothing(project: Project, name: str) -> None:
    """Every command that shows a description, a tag, a type, a label, a log line or the message of an exception."""
    project.write("free.py", AUTHORED.format(name=name))
    for command in SHOWN:
        ran = project.run(*command)
        assert "broke down" not in ran.err, command
        if name == "a\ud800b" and ran.code == 2:  # it is not even run
            assert_harmless(ran.err)
            continue
        assert (command, ran.code) == (command, int(command[0] == "run"))
        assert_harmless(ran.out)
        assert_harmless(ran.err)
