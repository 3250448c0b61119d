"""Hostile names written by the author of a pipeline: what becomes part of keys and states is refused when it is
defined; free text is neutralised wherever it is shown."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET  # what we wrote ourselves
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from solidstate import (
    DynamicOut,
    DynamicOutput,
    In,
    Mode,
    Out,
    Output,
    Preset,
    Secret,
    SolidType,
    TypeCheck,
    composite_solid,
    execute_pipeline,
    pipeline,
    resource,
    solid,
)
from solidstate.cli.draw_plan import drawing_of
from solidstate.cli.render_pipelines import pipeline_lines
from solidstate.cli.render_plan import plan_lines
from solidstate.cli.text import plain
from solidstate.errors import DefinitionError, SolidstateError
from solidstate.infra.results import PipelineFailed
from solidstate.infra.yaml_text import yaml_text
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan, machine_nest
from tests.security.hostile import EVERY, assert_harmless


@solid
def one() -> int:
    return 1


@resource
def thing() -> int:
    return 1


def of(**options: Any) -> PipelineDefinition:
    @pipeline(**options)
    def plain_pipeline() -> None:
        one()

    return plain_pipeline


def named_solid(name: str) -> None:
    @solid(name=name)
    def never() -> int:
        return 1


def named_composite(name: str) -> None:
    @composite_solid(name=name)
    def never() -> Any:
        return one()


def alias(name: str) -> None:
    @pipeline
    def never() -> None:
        one.alias(name)()


def output(name: str) -> None:
    @solid(outs={name: Out(int)})
    def never() -> Iterator[Output[int]]:
        yield Output(1, name)


def dynamic_output(name: str) -> None:
    @solid(outs={name: DynamicOut(int)})
    def never() -> Iterator[DynamicOutput[int]]:
        yield DynamicOutput(1, "k", name)


def an_input(name: str) -> None:
    @solid(ins={name: In(int)})
    def never(**values: int) -> int:
        return 1


def needed_resource(name: str) -> None:
    @solid(resources={name})
    def never(context: Any) -> int:
        return 1


REFUSED: tuple[Callable[[str], Any], ...] = (
    named_solid,
    named_composite,
    alias,
    output,
    dynamic_output,
    an_input,
    needed_resource,
    lambda name: of(name=name),
    lambda name: of(modes=[Mode(name)]),
    lambda name: of(modes=[Mode("m", {name: thing})]),
    lambda name: of(presets=[Preset(name, run_config={})]),
    lambda name: Secret(env=name),
)


@EVERY
@pytest.mark.parametrize("define", REFUSED, ids=range(len(REFUSED)))
def test_names_are_refused_when_they_are_given(define: Callable[[str], Any], name: str) -> None:
    """The error tells the name escaped and in part, whatever it is."""
    with pytest.raises(SolidstateError) as caught:
        define(name)
    assert isinstance(caught.value, DefinitionError) or define is REFUSED[-1]
    assert_harmless(str(caught.value))
    assert len(str(caught.value)) < 600


@EVERY
def test_keys_of_items_are_refused(name: str) -> None:
    """They are made while a step runs, of data: the step fails, and tells the key escaped and in part."""

    @solid(outs={"item": DynamicOut(int)})
    def finds() -> Iterator[DynamicOutput[int]]:
        yield DynamicOutput(1, name, "item")

    @pipeline
    def keyed() -> None:
        finds()

    with pytest.raises(PipelineFailed) as caught:
        execute_pipeline(keyed)
    (failure,) = caught.value.result.failures.values()
    assert failure is not None
    assert failure.message.startswith("Key '")
    assert_harmless(failure.message)
    assert len(failure.message) < 600


@EVERY
def test_free_text_steers_nothing(name: str) -> None:
    """Descriptions, tags and names of types in lists, plans, pictures and definitions."""

    def check(_: object) -> TypeCheck:
        return TypeCheck(True)

    kind = SolidType(name, check=check, python=int)

    @solid(description=name, tags={"k": name}, outs={"result": Out(kind, name)})
    def told() -> int:
        return 1

    @pipeline(description=name, tags={f"t{name}": name}, modes=[Mode("m", {}, name)])
    def free() -> None:
        told()

    try:
        plan = build_plan(free)
        definition = compile_plan(plan).definition
    except DefinitionError as error:
        assert_harmless(str(error))
        assert name == "a\ud800b"  # no file could hold it, and a machine is a file
        return
    assert_harmless(plain(pipeline_lines(free)))
    assert_harmless(plain(plan_lines(plan, machine_nest(plan))))
    json.loads(definition)
    picture = drawing_of(plan, machine_nest(plan))
    text = "".join(ET.fromstring(picture).itertext())  # noqa: S314
    assert "\x1b" not in text
    assert not any(char in text for char in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\x9b")
    assert "<script" not in picture


def test_yaml_is_not_made_of_text() -> None:
    """A description with line breaks and marks of YAML is a scalar in the template, not a part of it."""
    for text in ("a: b", "- x", "!Ref x", "*a", "\u2028x", "'", '"', "\x85", "a\x9bb", "\u202ex", "a # b"):
        assert yaml.safe_load(yaml_text({"key": text, "list": [text]})) == {"key": text, "list": [text]}
