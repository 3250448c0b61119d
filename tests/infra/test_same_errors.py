"""A run request that cannot be run is told the same, byte for byte, wherever it is handed in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from solidstate import execute_pipeline
from solidstate.cli.main import main
from solidstate.errors import RequestErrors
from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.local_aws import local_aws
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan, substitute
from solidstate.storage.memory import MemoryStore
from tests.author.choices import choices
from tests.author.test_choice_errors import CASES

TARGET = f"{Path(__file__).parents[1] / 'author' / 'choices.py'}:choices"


def told_in_python(document: Any) -> str:
    with pytest.raises(RequestErrors) as caught:
        execute_pipeline(choices, document)
    return str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_the_command_line_tells_what_python_tells(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`config check` and `run`, of a document that came by standard input, apart from line and column."""
    monkeypatch.chdir(Path(__file__).parents[2])
    document = tmp_path / "request.json"
    document.write_text(json.dumps(CASES[name]))
    expected = f"error: {told_in_python(CASES[name])}\n"
    for command in (["config", "check", TARGET, str(document)], ["run", TARGET, "--config", str(document)]):
        assert main(command) == 2
        said = capsys.readouterr().err.splitlines()
        assert "\n".join(line.partition(" (line ")[0] for line in said) + "\n" == expected


@pytest.mark.slow
def test_the_cause_of_a_failed_execution_is_that_text() -> None:
    """What the console shows of an execution whose input was refused."""
    loaded = LoadedPipeline(choices, build_plan(choices))
    handler = make_handler(Runtime([loaded], MemoryStore(), engine="moto", open_fs=lambda: None))

    def invoke(_name: str, event: Any, context: Any) -> Any:
        return handler(event, context)

    with local_aws(invoke) as aws:
        function = aws.create_function("steps", 60, 128)
        machine = aws.create_machine("choices", substitute(compile_plan(loaded.plan).definition, function).decode())
        started = {name: aws.start(machine, f"r{number}", CASES[name]) for number, name in enumerate(CASES)}
        causes = {name: aws.wait(execution)["cause"] for name, execution in started.items()}
    assert causes == {name: told_in_python(CASES[name]) for name in CASES}
