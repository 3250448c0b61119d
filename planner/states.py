"""The part of Amazon States Language (JSONPath) that we write, as structs whose JSON form is the definition.

Field order is reading order. ``UNSET`` leaves a field out; ``None`` writes ``null``, which means "discard" for
``ResultPath`` and "pass on {}" for ``OutputPath``. Source of all names and meanings: the Amazon States Language
specification and the Step Functions developer guide. No definition refers to itself, so the garbage collector need not
look for cycles (``gc=False``); large definitions would keep it busy.
"""

from __future__ import annotations

import json
import re
import textwrap
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

FUNCTION = "${StepFunctionArn}"
"""Stands for the ARN of the step function; CloudFormation fills it in through DefinitionSubstitutions."""
CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
"""Resource of a Task that invokes the function and goes on when its task token is answered (Step Functions developer
guide, "Wait for a Callback with Task Token")."""
START_EXECUTION = "arn:aws:states:::states:startExecution.sync:2"
"""Resource of a Task that runs another machine to its end (developer guide, "Start a new workflow execution")."""
ARN_BYTES = 140
"""What an ARN has at most, with a function name of 64 characters and an alias, or a machine name of 80: placeholders
are counted as this many bytes."""
STATES_ALL = "States.ALL"
_FUNCTION = re.compile(r"\$\{(\w+)FunctionArn\}")
_PLACEHOLDER = re.compile(rb"\$\{\w+Arn\}")
LINE_WIDTH = 120
"""Objects and lists of plain values are written on one line when they fit into this many characters."""

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


class Retrier(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False, omit_defaults=True):
    """One entry of ``Retry``; times in seconds, ``max_attempts`` counts repetitions, not the first attempt."""

    error_equals: tuple[str, ...]
    interval_seconds: int | UnsetType = UNSET
    max_attempts: int | UnsetType = UNSET
    backoff_rate: float | UnsetType = UNSET
    max_delay_seconds: int | UnsetType = UNSET
    jitter_strategy: str | UnsetType = UNSET


class Catcher(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False, omit_defaults=True):
    """One entry of ``Catch``. The error object is put at ``result_path`` of the state's input."""

    error_equals: tuple[str, ...]
    result_path: str | UnsetType = UNSET
    next: str


class Task(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="pascal",
    gc=False,
    omit_defaults=True,
    tag_field="Type",
    tag="Task",
):
    """Calls the Lambda function once and, by ``retry``, again. ``timeout_seconds`` bounds each attempt."""

    comment: str | UnsetType = UNSET
    resource: str = msgspec.field(default_factory=lambda: FUNCTION)
    parameters: dict[str, Any]
    timeout_seconds: int | UnsetType = UNSET
    result_path: str | UnsetType | None = UNSET
    output_path: str | UnsetType | None = UNSET
    retry: tuple[Retrier, ...] = ()
    catch: tuple[Catcher, ...] = ()
    next: str | UnsetType = UNSET
    end: bool = False


def payload_of(task: Task) -> dict[str, Any]:
    """What the function is invoked with, as the template that makes it; empty for a Task that runs a machine."""
    if task.resource == CALLBACK:
        payload: dict[str, Any] = task.parameters["Payload"]
        return payload
    return {} if task.resource == START_EXECUTION else task.parameters


class Parallel(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="pascal",
    gc=False,
    omit_defaults=True,
    tag_field="Type",
    tag="Parallel",
):
    """Runs its branches at the same time and waits for all."""

    comment: str | UnsetType = UNSET
    branches: tuple[Branch, ...]
    result_path: str | UnsetType | None = UNSET
    output_path: str | UnsetType | None = UNSET
    next: str | UnsetType = UNSET
    end: bool = False


class ProcessorConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False, omit_defaults=True):
    """``INLINE`` runs items in the execution itself, ``DISTRIBUTED`` each in an execution of ``execution_type``."""

    mode: str
    execution_type: str | UnsetType = UNSET


class ItemProcessor(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """What a Map does with each item: a machine of its own."""

    processor_config: ProcessorConfig
    start_at: str
    states: dict[str, State]


class ItemReader(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """Where a distributed Map finds its items: an S3 object that holds a JSON array."""

    resource: str = msgspec.field(default_factory=lambda: "arn:aws:states:::s3:getObject")
    reader_config: dict[str, str]
    parameters: dict[str, Any]


class Map(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="pascal",
    gc=False,
    omit_defaults=True,
    tag_field="Type",
    tag="Map",
):
    """Runs its processor for each item, ``max_concurrency`` at a time, and waits for all."""

    comment: str | UnsetType = UNSET
    items_path: str | UnsetType = UNSET
    item_reader: ItemReader | UnsetType = UNSET
    item_selector: dict[str, Any]
    max_concurrency: int
    tolerated_failure_count: int | UnsetType = UNSET
    item_processor: ItemProcessor
    result_path: str | UnsetType | None = UNSET
    output_path: str | UnsetType | None = UNSET
    catch: tuple[Catcher, ...] = ()
    next: str | UnsetType = UNSET
    end: bool = False


class Pass(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="pascal",
    gc=False,
    omit_defaults=True,
    tag_field="Type",
    tag="Pass",
):
    """Builds its output from its input."""

    comment: str | UnsetType = UNSET
    parameters: dict[str, Any]
    next: str


class Succeed(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="pascal",
    gc=False,
    omit_defaults=True,
    tag_field="Type",
    tag="Succeed",
):
    """Ends a branch well."""

    comment: str | UnsetType = UNSET
    output_path: str | UnsetType | None = UNSET


class Fail(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="pascal",
    gc=False,
    omit_defaults=True,
    tag_field="Type",
    tag="Fail",
):
    """Ends the execution as FAILED, with an error name and a cause read from the state's input."""

    comment: str | UnsetType = UNSET
    error: str
    cause_path: str


State = Task | Parallel | Map | Pass | Succeed | Fail


class Branch(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """One branch of a Parallel: a machine of its own, whose states only lead to each other."""

    start_at: str
    states: dict[str, State]


class Machine(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", gc=False):
    """A whole definition."""

    comment: str
    start_at: str
    states: dict[str, State]


def function_arn(group: str) -> str:
    """The placeholder for the ARN of the function that runs a group of steps (see ``planner.groups``)."""
    return f"${{{group}FunctionArn}}" if group else FUNCTION


def group_in(text: str) -> str | None:
    """The group whose function a placeholder stands for; None for text that is no placeholder of a function."""
    found = _FUNCTION.fullmatch(text)
    return None if found is None else "" if text == FUNCTION else found[1]


def machine_arn(part: str) -> str:
    """The placeholder for the ARN of a part's machine."""
    return f"${{{part}Arn}}"


def deployed_bytes(definition: bytes) -> int:
    """How long a definition is at most once CloudFormation has put ARNs in the places of its placeholders."""
    return len(definition) + sum(ARN_BYTES - len(found[0]) for found in _PLACEHOLDER.finditer(definition))


def encode_machine(machine: Machine, *, readable: bool = True) -> bytes:
    """The definition as JSON with a newline at the end; ``readable`` spreads it over lines, else it has no spaces."""
    data = msgspec.json.encode(machine)
    if not readable:
        return data + b"\n"
    decoded: dict[str, Json] = msgspec.json.decode(data)
    return _spread(decoded, "", 0).encode() + b"\n"


def _spread(value: Json, indent: str, used: int) -> str:
    """JSON text, on one line where that reads well; ``used`` characters of the line are taken. Recursion is bounded by
    the nesting of Parallels."""
    if not isinstance(value, dict | list):
        return _text(value)
    items = list(value.values()) if isinstance(value, dict) else value
    if not any(isinstance(item, dict | list) for item in items) or _is_retrier(value):
        line = _text(value)
        if len(indent) + used + len(line) <= LINE_WIDTH:
            return line
    inner = indent + " "
    if isinstance(value, dict):
        keys = [_text(key) + ": " for key in value]
        rows = [key + _spread(item, inner, len(key)) for key, item in zip(keys, items, strict=True)]
        return "{\n" + ",\n".join(inner + row for row in rows) + f"\n{indent}}}"
    if any(isinstance(item, dict | list) for item in items):
        return "[\n" + ",\n".join(inner + _spread(item, inner, 0) for item in items) + f"\n{indent}]"
    return (
        "[\n"
        + textwrap.indent(_filled([_text(item) for item in items], LINE_WIDTH - len(inner)), inner)
        + f"\n{indent}]"
    )


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_retrier(value: Json) -> bool:
    return isinstance(value, dict) and "ErrorEquals" in value


def _filled(words: list[str], width: int) -> str:
    """Words with commas between them, as many on a line as fit."""
    lines = [""]
    for number, word in enumerate(words):
        piece = word + ("," if number < len(words) - 1 else "")
        if lines[-1] and len(lines[-1]) + 1 + len(piece) > width:
            lines.append(piece)
        else:
            lines[-1] += (" " if lines[-1] else "") + piece
    return "\n".join(lines)
