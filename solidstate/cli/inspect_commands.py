"""``solidstate list``, ``check`` and ``compile``: look at pipelines without running them."""

from __future__ import annotations

import argparse
from typing import Any

import msgspec

from solidstate.cli.exit_codes import FAILED, SUCCESS
from solidstate.cli.measured import estimates_from
from solidstate.cli.plan_command import write_file
from solidstate.cli.render_errors import error_lines, error_record
from solidstate.cli.render_pipelines import pipeline_document, pipeline_lines
from solidstate.cli.terminal import Terminal
from solidstate.cli.text import BLANK, Span, line, plural
from solidstate.errors import Errors, RequestErrors, SolidstateError, TargetError
from solidstate.load import load_module, load_pipeline, pipelines_in
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.compile import Compiled, compile_plan, substitute
from solidstate.planner.history import history_events
from solidstate.planner.limits import MAX_DEFINITION_BYTES, MAX_HISTORY_EVENTS
from solidstate.request import resolve_request


class InspectOptions(msgspec.Struct, frozen=True):
    """What was typed after ``list``, ``check`` or ``compile``."""

    target: str
    json: bool = False
    output: str | None = None
    function_arn: str | None = None
    durations: str | None = None
    home: str | None = None


def _chosen(target: str) -> list[PipelineDefinition]:
    """The pipeline a target names, or all of its module."""
    if ":" in target:
        return [load_pipeline(target)]
    found = list(pipelines_in(load_module(target)).values())
    if not found:
        raise TargetError(f"`{target}` has no pipeline.", subject=target, hint="decorate a function with `@pipeline`")
    return found


def list_pipelines(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), InspectOptions)
    found = _chosen(options.target)
    if options.json:
        terminal.show_json([pipeline_document(pipeline) for pipeline in found])
        return SUCCESS
    for number, pipeline in enumerate(found):
        terminal.show([*([BLANK] if number else []), *pipeline_lines(pipeline, width=terminal.width)])
    return SUCCESS


class _Checked(msgspec.Struct, frozen=True):
    """What checking one pipeline found: its problems, or its measures: those of the machine that has most of each."""

    pipeline: str
    steps: int
    problems: list[SolidstateError]
    machines: int = 1
    definition_bytes: int = 0
    history_events: int = 0


def check(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), InspectOptions)
    results = [_check(pipeline) for pipeline in _chosen(options.target)]
    if options.json:
        terminal.show_json([_check_document(result) for result in results])
    else:
        for result in results:
            _show_check(result, terminal)
    return FAILED if any(result.problems for result in results) else SUCCESS


def _check(pipeline: PipelineDefinition) -> _Checked:
    plan = build_plan(pipeline)
    problems = _preset_problems(pipeline)
    try:
        compiled = compile_plan(plan)
    except SolidstateError as error:
        problems += error.items if isinstance(error, Errors) else (error,)
        return _Checked(pipeline.name, len(plan.steps), problems)
    sizes = [len(compiled.definition), *(len(part.definition) for part in compiled.parts)]
    events = [history_events(compiled.definition, plan)]
    events += [history_events(part.definition, plan, item=part.item) for part in compiled.parts]
    return _Checked(pipeline.name, len(plan.steps), problems, len(sizes), max(sizes), max(events))


def _preset_problems(pipeline: PipelineDefinition) -> list[SolidstateError]:
    """What is wrong in presets. What they leave open is not: a run request may add it."""
    problems: list[SolidstateError] = []
    for preset in pipeline.presets:
        try:
            resolve_request(pipeline, {"preset": preset.name})
        except RequestErrors as errors:
            problems += [
                SolidstateError(
                    f"Preset `{preset.name}` of pipeline `{pipeline.name}`: {record['problem']}",
                    path=record["path"],
                    hint=record["hint"],
                )
                for record in map(error_record, errors.items)
                if record.get("reason") != "missing"
            ]
    return problems


def _show_check(result: _Checked, terminal: Terminal) -> None:
    name = Span(result.pipeline, "bold")
    if result.problems:
        terminal.show([line(Span("failed  ", "bold red"), name, f"  {plural(len(result.problems), 'problem')}")])
        for problem in result.problems:
            terminal.note(error_lines(problem))
        return
    size = f"definition {result.definition_bytes:,} of {MAX_DEFINITION_BYTES:,} bytes"
    if result.machines > 1:
        size = f"{result.machines} state machines, the largest {size}"
    history = f"history at most {result.history_events:,} of {MAX_HISTORY_EVENTS:,} events"
    terminal.show([line(Span("ok  ", "green"), name, f"  {plural(result.steps, 'step')}, {size}, {history}")])


def _check_document(result: _Checked) -> dict[str, Any]:
    return {
        "pipeline": result.pipeline,
        "ok": not result.problems,
        "steps": result.steps,
        "state_machines": result.machines,
        "definition_bytes": result.definition_bytes,
        "history_events": result.history_events,
        "errors": [error_record(problem) for problem in result.problems],
    }


def compile_definition(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), InspectOptions)
    plan = build_plan(load_pipeline(options.target))
    estimates = estimates_from(plan, options.durations, options.home, terminal)
    compiled = compile_plan(plan, estimates.seconds if estimates.runs else None)
    if options.output is None and compiled.parts:
        raise SolidstateError(
            f"`{plan.pipeline}` does not fit into one state machine: it compiles to {1 + len(compiled.parts)}.",
            subject=plan.pipeline,
            hint="name a file with `-o`; the parts are written beside it",
        )
    for name, definition in _files(options.output or "", compiled).items():
        if options.function_arn is not None:
            definition = substitute(definition, options.function_arn)  # noqa: PLW2901 - the same, filled in
        if options.output is None:
            terminal.show_bytes(definition)
        else:
            write_file(name, definition)
            terminal.note([line(f"wrote {name}: {len(definition):,} bytes")])
    return SUCCESS


def _files(output: str, compiled: Compiled) -> dict[str, bytes]:
    """What to write where: parts are named after the file of the pipeline's own machine, ``machine.Part1.asl.json``."""
    ending = next((one for one in (".asl.json", ".json") if output.endswith(one)), "")
    stem = output.removesuffix(ending)
    parts = {f"{stem}.{part.name}{ending}": part.definition for part in compiled.parts}
    return {**parts, output: compiled.definition}
