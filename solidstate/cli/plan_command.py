"""``solidstate plan``: a plan as a tree, as data, explained, or drawn."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from solidstate.cli.draw_plan import drawing_of
from solidstate.cli.exit_codes import SUCCESS
from solidstate.cli.measured import estimates_from
from solidstate.cli.parsing import UsageError
from solidstate.cli.render_explain import explain_lines
from solidstate.cli.render_plan import plan_lines
from solidstate.cli.terminal import Terminal, steerless
from solidstate.cli.text import line, plural
from solidstate.errors import SolidstateError
from solidstate.load import load_pipeline
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan, machine_nest
from solidstate.planner.estimates import Estimates
from solidstate.planner.explain import Explanation, explained
from solidstate.planner.nest import Nest
from solidstate.planner.plan import ExecutionPlan, encode_plan


class PlanOptions(msgspec.Struct, frozen=True):
    """What was typed after ``plan``."""

    target: str
    json: bool = False
    explain: bool = False
    svg: str | None = None
    durations: str | None = None
    home: str | None = None


def plan(arguments: argparse.Namespace, terminal: Terminal) -> int:
    options = msgspec.convert(vars(arguments), PlanOptions)
    drawn_on_stdout = options.svg == "-"
    if drawn_on_stdout and (options.json or options.explain):
        raise UsageError(
            "`--svg -` writes the drawing to stdout, where nothing else can be.",
            usage="usage: solidstate plan TARGET [options]",
            hint="name a file: `--svg plan.svg`",
        )
    made = build_plan(load_pipeline(options.target))
    estimates = estimates_from(made, options.durations, options.home, terminal)
    nest = machine_nest(made, estimates.seconds if estimates.runs else None)
    if options.svg is not None:
        _draw(made, nest, options.svg, terminal)
    if options.explain:
        told = _explained(made, nest, estimates)
        if options.json:
            terminal.show_json(told)
        else:
            terminal.show(explain_lines(told, width=terminal.width))
    elif options.json:
        terminal.show_bytes(steerless(msgspec.json.format(encode_plan(made), indent=2)) + b"\n")
    elif options.svg is None:
        terminal.show(plan_lines(made, nest))
    return SUCCESS


def _explained(made: ExecutionPlan, nest: Nest, estimates: Estimates) -> Explanation:
    compiled = compile_plan(made, estimates.seconds if estimates.runs else None)
    definitions = {"": compiled.definition, **{part.name: part.definition for part in compiled.parts}}
    return explained(made, nest, definitions, estimates)


def _draw(made: ExecutionPlan, nest: Nest, file: str, terminal: Terminal) -> None:
    drawing = drawing_of(made, nest).encode()
    if file == "-":
        terminal.show_bytes(drawing)
        return
    write_file(file, drawing)
    terminal.note([line(f"wrote {file}: {plural(len(made.steps), 'step')}, {len(drawing):,} bytes")])


def write_file(file: str, content: bytes) -> None:
    """Write what a command made. Raises SolidstateError where that is not possible."""
    try:
        Path(file).write_bytes(content)
    except OSError as error:
        raise SolidstateError(
            f"`{file}` cannot be written: {error.strerror or error}.",
            subject=file,
            hint="name a file in a folder that exists and is yours",
        ) from error
