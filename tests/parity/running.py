"""How the tests of this folder run a pipeline and read what came of it: in memory, without waiting."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from solidstate import PipelineDefinition, PipelineResult, RequestErrors, execute_pipeline, pipeline
from solidstate.errors import DefinitionError


def built(body: Callable[[], Any], **options: Any) -> PipelineDefinition:
    """A pipeline called `p` with this body, which may be a solid."""
    definition: PipelineDefinition = pipeline(name="p", **options)(lambda: body())  # noqa: PLW0108 - a solid is no function
    return definition


def run(body: Callable[[], Any], request: Any = None, **options: Any) -> PipelineResult:
    """A finished run of a pipeline with this body, whether it succeeded or not."""
    return execute_pipeline(built(body, **options), request, raise_on_error=False, sleep=lambda seconds: None)


def undefined(make: Callable[[], Any]) -> str:
    """What a definition that cannot work is told, without the line of the test it stands in."""
    with pytest.raises(DefinitionError) as caught:
        make()
    return re.sub(r"\n +at: \S*(?:test_\w+|running)\.py:\d+", "", str(caught.value))


def rejected(body: Callable[[], Any], request: Any, **options: Any) -> str:
    """What is said of a run request, without the line that names the pipeline when there is only one error."""
    with pytest.raises(RequestErrors) as caught:
        execute_pipeline(built(body, **options), request)
    return str(caught.value).removeprefix("Run request for pipeline `p`: ")


def failed(result: PipelineResult, step: str) -> str:
    """The message of a step that failed."""
    error = result.result_for_solid(step).failure
    assert error is not None
    return error.message


def statuses(result: PipelineResult) -> dict[str, str]:
    """How each step ended."""
    return {step.step: step.status for step in result.summary.steps}
