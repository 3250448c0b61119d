"""Definitions before judges that are not ours: asl-validator and amazon-states-language-service (npm), cfn-lint's rule
E3601, and the parser of the local interpreter. Each also finds the faults that are planted for it."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.graphs import drawn_graph, read_graph
from solidstate.planner.compile import Compiled, compile_plan, substitute
from tests.planner.graph_sets import FOLDER, graph_sets
from tests.planner.thought import MAPPED, N_SHAPE, decoded, scope_of

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*/*.asl.json"))
INSTALLED = ROOT / ".venv" / "judges"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:steps"
MACHINE_ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:"
SMALL = 60_000
"""Bytes of a definition up to which the judges in Python are asked: they take seconds for each."""
Judge = Callable[[dict[str, str]], dict[str, list[str]]]
"""Of definitions by name, what is wrong with each; those it finds nothing in are left out."""


def filled(definition: bytes) -> str:
    """As it is deployed."""
    parts = {name: MACHINE_ARN + name for name in re.findall(r"\$\{(Part\d+)Arn\}", definition.decode())}
    return substitute(definition, FUNCTION_ARN, parts).decode()


def all_of(name: str, compiled: Compiled) -> dict[str, str]:
    """A pipeline's machines by name."""
    machines = {name: compiled.definition, **{f"{name}, {part.name}": part.definition for part in compiled.parts}}
    return {key: filled(definition) for key, definition in machines.items()}


def node(definitions: dict[str, str]) -> dict[str, dict[str, list[str]]]:
    """By judge: the two that run on Node, in one process."""
    script = ROOT / "tests" / "judges" / "judge.mjs"
    command = ["node", str(script), str(INSTALLED)]
    done = subprocess.run(command, input=json.dumps(definitions), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
    return {judge: {name: told for name, told in by_name.items() if told} for judge, by_name in found.items()}


def cfn_lint(definitions: dict[str, str]) -> dict[str, list[str]]:
    """Rule E3601 of templates that hold the definitions."""
    from cfnlint.api import lint_all  # takes seconds to import

    found: dict[str, list[str]] = {}
    for name, text in definitions.items():
        properties = {"RoleArn": "arn:aws:iam::123456789012:role/steps", "Definition": json.loads(text)}
        machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
        matches = lint_all(json.dumps({"Resources": {"Machine": machine}}))
        told = [f"{match.rule.id}: {match.message}" for match in matches if match.rule.id[0] in "EW"]
        if told:
            found[name] = told
    return found


def moto(definitions: dict[str, str]) -> dict[str, list[str]]:
    """The parser of moto's interpreter, which is LocalStack's."""
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser  # takes seconds to import
    from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

    found: dict[str, list[str]] = {}
    for name, text in definitions.items():
        # A class-level list: a definition that is refused leaves its scopes there, and spoils the next one.
        Preprocessor._query_language_per_scope.clear()
        try:
            AmazonStateLanguageParser.parse(text)
        except Exception as error:
            found[name] = [f"{type(error).__name__}: {error}"]
    return found


@pytest.fixture(scope="module")
def _on_node() -> None:
    """`make judges` installs them, and `make test-slow` does so by itself where there is npm."""
    if (INSTALLED / "solidstate-ready").exists() and shutil.which("node"):
        return
    if os.environ.get("CI") and shutil.which("npm"):
        pytest.fail("npm is here, but `make judges` has not installed the judges into .venv/judges")
    pytest.skip("asl-validator and amazon-states-language-service are not installed: `make judges`")


@pytest.fixture
def golden() -> dict[str, str]:
    """Every golden definition, and two more: with rendezvous of a Map, and of several machines."""
    found = {path.stem: filled(path.read_bytes()) for path in GOLDEN}
    assert len(found) > 10
    found |= all_of("mapped", compile_plan(MAPPED, {"side": 50.0}))
    divided = all_of("divided", compile_plan(drawn_graph("layered random", 700).plan()))
    assert len(divided) > 1
    return found | divided


@pytest.mark.slow
@pytest.mark.usefixtures("_on_node")
def test_judges_on_node_find_nothing(golden: dict[str, str]) -> None:
    """In any golden definition, in rendezvous with Maps, in the parts of a divided pipeline."""
    assert node(golden) == {"asl-validator": {}, "amazon-states-language-service": {}}


@pytest.mark.slow
@pytest.mark.parametrize("judge", [cfn_lint, moto])
def test_judges_in_python_find_nothing(judge: Judge, golden: dict[str, str]) -> None:
    """The same, of all that is not too large for them."""
    assert judge({name: text for name, text in golden.items() if len(text) < SMALL}) == {}


@pytest.mark.slow
@pytest.mark.usefixtures("_on_node")
def test_judges_on_node_find_nothing_in_real_graphs() -> None:
    """Every machine of every public set, compiled without knowing durations, which gives the most rendezvous."""
    definitions: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.json")):
        definitions |= all_of(path.stem, compile_plan(read_graph(path).plan()))
    if not definitions:
        pytest.skip("no folder of graphs beside the checkout")
    assert node(definitions) == {"asl-validator": {}, "amazon-states-language-service": {}}


@pytest.mark.slow
@pytest.mark.parametrize("graph", graph_sets(largest=12_000))
def test_judges_in_python_find_nothing_in_real_graphs(graph: Path) -> None:
    """The same for small graphs; large ones would take them minutes."""
    definitions = all_of(graph.stem, compile_plan(read_graph(graph).plan()))
    assert (cfn_lint(definitions), moto(definitions)) == ({}, {})


def without_target(machine: dict[str, Any]) -> None:
    """The state that `a` goes on to is taken away."""
    del scope_of(machine, "c")["c"]


def same_name_twice(machine: dict[str, Any]) -> None:
    """`c` and `d` in different branches of one machine, both called `d`."""
    scope = scope_of(machine, "c")
    scope["d"] = scope.pop("c")
    scope["a"]["Next"] = "d"
    scope["a failed"]["Next"] = "d"


def next_and_end(machine: dict[str, Any]) -> None:
    scope_of(machine, "a")["a"]["End"] = True


def long_name(machine: dict[str, Any]) -> None:
    scope = scope_of(machine, "c")
    name = "c" * 81
    scope[name] = scope.pop("c")
    scope["a"]["Next"] = scope["a failed"]["Next"] = name


FAULTS: list[tuple[Callable[[dict[str, Any]], None], set[str]]] = [
    (without_target, {"asl-validator", "amazon-states-language-service"}),
    (same_name_twice, {"asl-validator"}),
    (next_and_end, {"asl-validator", "amazon-states-language-service", "cfn_lint", "moto"}),
    (long_name, {"asl-validator", "cfn_lint"}),
]


@pytest.mark.slow
@pytest.mark.usefixtures("_on_node")
def test_planted_faults_are_found() -> None:
    """Each fault by the judges that are known to find it, so that none of them is only said to have read it."""
    found: dict[str, set[str]] = {}
    definitions: dict[str, str] = {}
    for fault, _ in FAULTS:
        machine = copy.deepcopy(decoded(N_SHAPE, {"b": 9.0}))
        fault(machine)
        definitions[fault.__name__] = filled(json.dumps(machine).encode())
    told = {**node(definitions), "cfn_lint": cfn_lint(definitions), "moto": moto(definitions)}
    for judge, by_name in told.items():
        for name in by_name:
            found.setdefault(name, set()).add(judge)
    assert found == {fault.__name__: judges for fault, judges in FAULTS}
