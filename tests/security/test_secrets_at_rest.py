"""The canary of ``tests/infra/test_secret_canary.py`` in the places that one run does not reach: attempts that are
repeated, what commands print, and all that is made of a pipeline without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.project import Project
from tests.infra.test_secret_canary import CANARY, leaks, leaks_in

PIPELINE = """
    import msgspec

    from solidstate import Mode, RetryPolicy, RetryRequested, Secret, pipeline, resource, solid

    EARLY = Secret(env="CANARY_PASSWORD").get()  # while the module is imported


    class Login(msgspec.Struct):
        password: Secret = Secret(env="CANARY_PASSWORD")
        user: str = "ops"


    @resource
    def database(config: Login):
        return config.password.get()


    @solid(resources={"database"}, retry=RetryPolicy(max_attempts=3))
    def flaky(context, config: Login) -> int:
        if context.attempt == 1:
            raise RetryRequested(f"not yet: {config.password.get()}", {"password": config.password.get()})
        if context.attempt == 2:
            raise OSError(13, "denied", f"/mnt/{context.resources.database}")
        raise KeyError(config.password.get()) from ValueError(EARLY)


    @pipeline(modes=[Mode("m", {"database": database})])
    def shop():
        flaky()
"""


@pytest.fixture
def secretive(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose code reads its secret while it is imported, and gives it away wherever it can while it runs."""
    monkeypatch.setenv("CANARY_PASSWORD", CANARY)
    project.write("shop.py", PIPELINE)
    return project


def test_repeated_attempts_tell_it_nowhere(secretive: Project, home: Path) -> None:
    """Events, logs and records of three attempts, what commands print of them, and tracebacks with `--debug`."""
    run = ["run", "shop.py", "--engine", "inline", "--run-id", "r1"]
    commands = [run, ["--debug", "show", "r1"], ["show", "r1", "--json"], ["events", "r1"], ["events", "r1", "--json"]]
    commands += [["--debug", "run", "shop.py", "--engine", "inline", "--set", f"solids.flaky.config.{CANARY}=1"]]
    for command in commands:
        ran = secretive.run(*command)
        assert ran.code in (0, 1, 2)
        assert "broke down" not in ran.err
        assert leaks(ran.out + ran.err) == [], command
    assert leaks_in(home) == []
    events = secretive.run("events", "r1").out
    assert events.count("step_up_for_retry") == 2
    assert events.count("[secret]") >= 3


@pytest.mark.slow
def test_repeated_attempts_on_moto_tell_it_nowhere(secretive: Project, home: Path) -> None:
    """The same through the state machine: its definition, its history, its causes."""
    ran = secretive.run("run", "shop.py", "--run-id", "r1")
    assert ran.code == 1
    assert leaks(ran.out + ran.err) == []
    assert leaks_in(home) == []


MADE = [
    ["list", "shop.py"],
    ["list", "shop.py", "--json"],
    ["check", "shop.py"],
    ["plan", "shop.py"],
    ["plan", "shop.py", "--explain"],
    ["plan", "shop.py", "--json"],
    ["plan", "shop.py", "--svg", "plan.svg"],
    ["compile", "shop.py", "-o", "machine.json"],
    ["template", "shop.py", "-o", "template.yaml"],
    ["config", "scaffold", "shop.py", "--full"],
    ["config", "schema", "shop.py"],
]


@pytest.mark.parametrize("command", MADE, ids=lambda command: " ".join(command[:1] + command[2:]))
def test_what_is_made_of_code_tells_it_nowhere(secretive: Project, command: list[str]) -> None:
    """The reference is the default of a config, and the value known to the process: neither printed nor in a file."""
    ran = secretive.run(*command)
    assert ran.code == 0
    assert leaks(ran.out + ran.err) == []
    files = [path for path in secretive.root.iterdir() if path.is_file()]
    assert [(path.name, form) for path in files for form in leaks(path.read_text())] == []
