"""Exit codes, the JSON of errors, and what may and may not appear when something breaks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from solidstate.cli import main as module
from solidstate.cli.choices import ENGINES, KINDS
from solidstate.cli.main import exit_code
from solidstate.errors import (
    CompileError,
    DefinitionError,
    EngineError,
    Errors,
    RequestErrors,
    RunNotFound,
    SolidstateError,
    StorageUnavailable,
    TargetError,
)
from solidstate.events import AnyEvent
from solidstate.infra import local_run
from tests.cli.project import REPOSITORY, Project


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["config", "check", "--help"]])
def test_help_is_an_answer(project: Project, arguments: list[str]) -> None:
    """Asking for help succeeds and answers on stdout."""
    ran = project.run(*arguments)
    assert ran.code == 0
    assert ran.out.startswith(("usage: solidstate ", "solidstate 0."))
    assert ran.err == ""


def test_every_command_is_wired() -> None:
    """The table of arguments and the table of commands name the same commands."""
    from solidstate.cli.arguments import COMMANDS, CONFIG_COMMANDS

    typed = {name for name in COMMANDS if name != "config"} | {f"config {name}" for name in CONFIG_COMMANDS}
    assert typed == set(module.COMMANDS)


def test_choices_are_those_of_the_layers_below() -> None:
    """The engines and event kinds that can be typed are the ones there are; they are spelled out for a quick start."""
    assert local_run.ENGINES == ENGINES
    assert {str(kind.__struct_config__.tag) for kind in AnyEvent.__args__} == set(KINDS)


def test_help_loads_nothing_heavy() -> None:
    """``--help`` answers without the engine, the planner's compiler, rich or yaml: that is what makes it instant."""
    code = (
        "import sys; from solidstate.cli.main import main; main(['run', '--help']); "
        "heavy = {'rich', 'yaml', 'moto', 'boto3', 'botocore', 's3fs', 'aws_lambda_powertools'}; "
        "print(sorted(heavy & set(sys.modules)), [m for m in sys.modules if m.startswith('solidstate.infra.')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[] []"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TargetError("x"), 2),
        (DefinitionError("x"), 2),
        (RequestErrors("x", []), 2),
        (Errors("x", [CompileError("x")]), 2),
        (RunNotFound("x"), 2),
        (SolidstateError("x"), 2),
        (EngineError("x"), 1),
        (StorageUnavailable("x"), 1),
    ],
)
def test_exit_code_says_whose_turn_it_is(error: SolidstateError, code: int) -> None:
    """2 when the user has something to correct, 1 when the surroundings failed."""
    assert exit_code(error) == code


def test_errors_are_data_on_request(words: Project) -> None:
    """With ``--json`` an error is a document on stdout, its parts apart, and still text on stderr."""
    ran = words.run("run", "words.py", "--preset", "sample", "--set", "solids.read.config.limt=3", "--json")
    assert ran.code == 2
    assert ran.json() == {
        "error": {
            "type": "RequestErrors",
            "problem": "Run request for pipeline `words`",
            "exit_code": 2,
            "errors": [
                {
                    "reason": "unknown",
                    "problem": "Unknown field 'limt'.",
                    "path": "solids.read.config.limt",
                    "hint": "did you mean `limit`?",
                    "expected": "",
                    "suggestion": "limit",
                    "given": "limt",
                }
            ],
        }
    }
    assert ran.err.startswith("error: Run request for pipeline `words`: Unknown field 'limt'.\n")


def test_errors_with_values_that_json_lacks_are_data_too(words: Project) -> None:
    """A NaN in a YAML request is refused, and the document that says so is still JSON."""
    words.write("r.yaml", "solids: {read: {config: {path: .nan}}}")
    ran = words.run("config", "check", "words.py", "r.yaml", "--json")
    assert ran.code == 2
    assert ran.json()["error"]["exit_code"] == 2


def test_a_bug_of_ours_is_admitted(words: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception nobody foresaw becomes one line and a way on, not a traceback."""

    def broken(*_: object) -> int:
        raise KeyError("step")

    monkeypatch.setitem(module.COMMANDS, "list", broken)
    ran = words.run("list", "words.py")
    assert ran.code == 1
    assert ran.err == (
        "error: solidstate broke down: KeyError: 'step'.\n"
        "  fix: run the same command with `--debug`, and report what it prints\n"
    )


@pytest.mark.parametrize("arguments", [["--debug", "list", "no.py"], ["list", "no.py", "--debug"]])
def test_debug_shows_where(project: Project, arguments: list[str]) -> None:
    """``--debug``, before or after the command, adds the traceback and changes nothing else."""
    ran = project.run(*arguments)
    assert ran.code == 2
    assert ran.err.startswith("Traceback (most recent call last):\n")
    assert ran.err.endswith(
        "error: There is no file `no.py`.\n  fix: check the path; it is relative to the current directory\n"
    )


def test_an_interrupt_anywhere_is_quiet(project: Project) -> None:
    """Ctrl-C while the user's module is imported: exit code 130, no traceback."""
    project.write("slow_import.py", "raise KeyboardInterrupt")
    ran = project.run("list", "slow_import.py")
    assert (ran.code, ran.out, ran.err) == (130, "", "\nstopped\n")


@pytest.mark.parametrize(
    ("arguments", "flag", "fix"),
    [
        (["--json", "runs"], "--json", "write `solidstate runs --json`"),
        (["--home", "x", "show", "last"], "--home", "write `solidstate show ... --home`"),
        (["--full", "config", "scaffold", "a.py"], "--full", "write `solidstate config scaffold ... --full`"),
    ],
)
def test_options_follow_the_command(project: Project, arguments: list[str], flag: str, fix: str) -> None:
    """One that stands before it is told where it belongs."""
    ran = project.run(*arguments)
    assert ran.code == 2
    assert f"`{flag}` stands before the command, but is an option of one." in ran.err
    assert f"fix: {fix}\n" in ran.err
