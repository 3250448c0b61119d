"""The template of the flights example is what its definitions say, and safe after AWS's own transform."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from solidstate.infra.bundle_recipe import recipe_for
from solidstate.infra.bundle_settings import Choices
from solidstate.infra.cloudformation_yaml import load_template
from solidstate.infra.stack import stack_of
from solidstate.infra.targets import deployable
from solidstate.infra.template_file import difference, renewed_template
from solidstate.infra.template_rules import check_template
from tests.infra.templates import translated

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "template.yaml").read_text()
FLIGHTS = str(ROOT / "examples" / "flights" / "pipeline.py")


@pytest.fixture(scope="module")
def expanded() -> dict[str, Any]:
    """template.yaml as CloudFormation would get it."""
    return translated(TEXT)


def functions(template: dict[str, Any]) -> dict[str, Any]:
    resources: dict[str, Any] = template["Resources"]
    return {name: body["Properties"] for name, body in resources.items() if body["Type"] == "AWS::Lambda::Function"}


def test_it_is_in_step_with_the_definitions() -> None:
    """`make template` changes nothing."""
    rendered = renewed_template(TEXT, stack_of(deployable([FLIGHTS])), "template.yaml")
    assert difference(TEXT, rendered, "template.yaml") == []


def test_nothing_is_unsafe(expanded: dict[str, Any]) -> None:
    """By our own rules, before and after the transform."""
    assert check_template(load_template(TEXT, "template.yaml")) == []
    assert check_template(expanded) == []


def test_cfn_lint_has_nothing_to_say(expanded: dict[str, Any], tmp_path: Path) -> None:
    """No error and no warning on what CloudFormation would get."""
    path = tmp_path / "expanded.json"
    path.write_text(json.dumps(expanded))
    command = [str(Path(sys.executable).with_name("cfn-lint")), str(path)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_written_by_hand_reaches_every_function(expanded: dict[str, Any]) -> None:
    """The layer and the variable of the globals, beside what is generated."""
    found = functions(expanded)
    assert len(found) > 1
    for function in found.values():
        assert function["Layers"] == [{"Ref": "PandasLayer"}]
        variables = function["Environment"]["Variables"]
        assert set(variables) == {
            "MPLCONFIGDIR",
            "POWERTOOLS_SERVICE_NAME",
            "SOLIDSTATE_BUCKET",
            "SOLIDSTATE_PIPELINES",
            "SOLIDSTATE_RETENTION_DAYS",
        }


def test_only_steps_that_write_reports_may_write_them(expanded: dict[str, Any]) -> None:
    """The permission of the resource is where the resource is used."""
    may = set()
    for name, body in expanded["Resources"].items():
        if body["Type"] == "AWS::IAM::Role" and "/reports/*" in json.dumps(body):
            may.add(name.removesuffix("Role"))
    writing = {name for name, body in functions(expanded).items() if "write" in body["Description"]}
    drawing = {name for name, body in functions(expanded).items() if "draw" in body["Description"]}
    assert may == writing | drawing
    assert 0 < len(may) < len(functions(expanded))


def test_a_build_puts_everything_where_the_template_looks() -> None:
    """What `solidstate build` does without options is what the Makefile and the template expect."""
    from solidstate.cli.arguments import parse
    from solidstate.cli.build_command import BUNDLE, MACHINES

    output = parse(["build", "x"], "0").output
    recipe = recipe_for([FLIGHTS], Choices())
    (found,) = recipe.pipelines
    makefile = (ROOT / "Makefile").read_text()
    assert f"cp -R {output}/{BUNDLE}/. " in makefile
    assert f"DefinitionUri: {output}/{MACHINES}/{found.definition.name}.asl.json\n" in TEXT
    assert f"SOLIDSTATE_PIPELINES: {found.target}\n" in TEXT
    assert f"Runtime: {recipe.settings.runtime}\n" in TEXT


def test_the_example_s_requirements_are_those_of_the_extra() -> None:
    """Whoever runs the example locally has tested what its bundle ships."""
    lines = (ROOT / "examples" / "flights" / "requirements.txt").read_text().splitlines()
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["demo"]
    assert [line for line in lines if not line.startswith("#")] == extra
