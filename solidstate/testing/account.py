"""A local AWS that stays open from test to test, and the pipelines deployed into it, each once."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from solidstate.errors import EngineError
from solidstate.handler.runtime import LoadedPipeline
from solidstate.infra.local_deploy import create_function, create_machines, not_installed
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from solidstate.testing.deployments import Deployment, Functions

if TYPE_CHECKING:
    from solidstate.infra.local_aws import LocalAws

_MARK = "solidstate-testing"
"""A bucket that is there as long as nobody has emptied moto."""


class Account:
    """An opened local AWS. ``pauses`` says whether retries wait as they do on AWS."""

    def __init__(self, aws: LocalAws, functions: Functions, *, pauses: bool) -> None:
        self.aws = aws
        self.functions = functions
        self.pauses = pauses
        self._deployed: dict[PipelineDefinition, list[Deployment]] = {}
        self._numbers = itertools.count(1)
        self._tests = itertools.count(1)
        aws.create_bucket(_MARK)

    def new_test(self) -> int:
        """A number that no other test of this process has. What another one's ``mock_aws`` has emptied is made anew."""
        from solidstate.infra.moto_inside import ACCOUNT_ID, inside

        if _MARK not in inside("s3.models").s3_backends[ACCOUNT_ID]["aws"].buckets:
            self._deployed.clear()
            self.functions.deployments.clear()
            self.aws.create_bucket(_MARK)
        return next(self._tests)

    def deployments(self) -> list[Deployment]:
        """All there are."""
        return list(self.functions.deployments.values())

    def deployed(self, pipeline: PipelineDefinition, test: int, name: str | None) -> Deployment:
        """The pipeline, deployed. Executions of one machine have names of their own, so that it is one whose ``name``
        no other test has taken; without a name, one that no other test was handed to start executions by itself."""
        mine = self._deployed.setdefault(pipeline, [])
        for deployment in mine:
            if deployment.is_free(name, test) if name is not None else deployment.handed_to in (None, test):
                return deployment
        made = self._deploy(pipeline, mine[0].loaded if mine else None)
        mine.append(made)
        return made

    def _deploy(self, pipeline: PipelineDefinition, loaded: LoadedPipeline | None) -> Deployment:
        loaded = loaded or LoadedPipeline(pipeline, build_plan(pipeline))
        number = next(self._numbers)
        name = pipeline.name if number == 1 else f"{pipeline.name[:60]}-{number}"
        function = f"solidstate-step-{number}"
        arn = create_function(self.aws, function, loaded.plan)
        machine = create_machines(self.aws, name, compile_plan(loaded.plan), arn)
        made = Deployment(loaded, function, machine)
        self.functions.deployments[function] = made
        return made


@contextmanager
def open_account(*, pauses: bool = False) -> Generator[Account]:
    """Open a local AWS for tests, empty. One at a time in a process.

    Retries do not wait, unless ``pauses``. Until exit the environment leads every AWS client of this process and its
    children to it. EngineError when one is open already, or moto is not there.
    """
    try:
        from solidstate.infra.local_aws import local_aws
        from solidstate.infra.retry_pauses import without_pauses
    except ModuleNotFoundError as error:
        raise not_installed(error) from error
    functions = Functions()
    with ExitStack() as stack:
        aws: Any = stack.enter_context(local_aws(functions))
        if not pauses:
            stack.enter_context(without_pauses())
        yield Account(aws, functions, pauses=pauses)


def no_stack_twice() -> EngineError:
    """The refusal of a second stack beside one that is in use."""
    return EngineError(
        "A local stack is in use already in this process; one at a time is expected.",
        hint="use the one there is, or leave its `with` block first",
    )
