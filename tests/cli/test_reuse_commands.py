"""`run --from-failure` and what `run` says before it reuses anything."""

from __future__ import annotations

import pytest

from tests.cli.project import Project

FLAKY = """
    from __future__ import annotations

    import os

    import msgspec

    from solidstate import composite_solid, pipeline, solid


    class Config(msgspec.Struct):
        limit: int


    @solid(tags={"owner": "ops"})
    def read(config: Config) -> int:
        return config.limit


    @solid
    def double(x: int, factor: int = 2) -> int:
        return x * factor


    @solid
    def check(x: int, config: Config) -> int:
        if os.path.exists("broken"):
            raise ValueError("broken")
        return x + config.limit


    @composite_solid
    def prepare(x: int) -> int:
        return check(double(x))


    @solid
    def report(x: int) -> int:
        return x


    @pipeline
    def flaky():
        report(prepare(read()))
"""
REQUEST = """
    solids:
      read: {config: {limit: 2}}
      prepare:
        solids:
          double: {inputs: {factor: 3}}
          check: {config: {limit: 1}}
"""


@pytest.fixture
def flaky(project: Project) -> Project:
    """A project whose pipeline fails in a composite while there is a file ``broken``."""
    project.write("flaky.py", FLAKY)
    project.write("r.yaml", REQUEST)
    project.write("broken", "")
    return project


@pytest.mark.parametrize("engine", ["inline", pytest.param("moto", marks=pytest.mark.slow)])
def test_from_failure_takes_up_where_it_broke_off(flaky: Project, engine: str) -> None:
    """With the config of that run; what is reused and what computed is said first."""
    command = ["run", "flaky.py", "--engine", engine]
    assert flaky.run(*command, "--config", "r.yaml", "--run-id", "first").code == 1
    (flaky.root / "broken").unlink()
    ran = flaky.run(*command, "--from-failure", "last", "--run-id", "second", "--json")
    assert ran.err.startswith(
        "computing 2 of 4 steps: prepare.check, report\nreusing from run first: prepare.double\nleaving out: read\n"
    )
    assert ran.code == 0
    assert {step["step"]: step["status"] for step in ran.json()["steps"]} == {
        "read": "not selected",
        "prepare.double": "not selected",
        "prepare.check": "success",
        "report": "success",
    }
    again = flaky.run(*command, "--from-failure", "second")
    assert (again.code, again.err) == (
        2,
        "error: Run `second` succeeded; there is no failure to start from.\n"
        "  fix: use `--from-run second --steps NAME*`\n",
    )


def test_from_failure_may_change_config_but_not_the_steps(flaky: Project) -> None:
    """What is given on the command line comes over the earlier request; the steps are chosen by the failure."""
    command = ["run", "flaky.py", "--engine", "inline"]
    flaky.run(*command, "--config", "r.yaml", "--run-id", "first")
    ran = flaky.run(*command, "--from-failure", "first", "--steps", "report")
    assert (ran.code, ran.err) == (
        2,
        "error: `--from-failure` chooses `steps` itself.\n  fix: leave the one or the other out\n",
    )
    (flaky.root / "broken").unlink()
    set_it = ["--set", "solids.prepare.solids.check.config.limit=100"]
    assert flaky.run(*command, "--from-failure", "first", *set_it, "--run-id", "second").code == 0
    record = flaky.root.parent / "solidstate-home"
    assert any('"limit":100' in path.read_text() for path in record.rglob("run.json"))


def test_a_tag_selects(flaky: Project) -> None:
    """`--steps tag:key=value` runs the steps with that tag."""
    ran = flaky.run("run", "flaky.py", "--engine", "inline", "--config", "r.yaml", "--steps", "tag:owner=ops")
    assert ran.code == 0
    assert ran.err.startswith("computing 1 of 4 steps: read\nleaving out: prepare.double, prepare.check, report\n")
