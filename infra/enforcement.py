"""Runs on this machine under the policies that a deployment would have: what a step has not declared is denied.

Every request that reaches the local AWS is judged (in process and over the socket alike), unless the engine made it.
One identity acts at a time, as a process has one environment: while steps of one function run, those of another wait.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from solidstate.infra.iam_asked import Answer, Asked, HttpRequest, asked_of, signer_of
from solidstate.infra.iam_denials import Denial, denied
from solidstate.infra.iam_judgement import local_statements, refusal
from solidstate.infra.iam_s3 import is_missing, place_of
from solidstate.infra.local_lambda import LambdaContext, LambdaInvoker
from solidstate.infra.moto_inside import ACCOUNT_ID, ENGINE_KEY, inside
from solidstate.infra.policies import TOKEN_ACTIONS, FunctionPolicy, Statement
from solidstate.planner.groups import STEP_FUNCTION


class Enforcement:
    """The policies of a pipeline's functions, in force for the invocations that go through :meth:`invoker`."""

    def __init__(self, policies: Sequence[FunctionPolicy], bucket: str) -> None:
        self._bucket = bucket
        self._group_of = {step: policy.group for policy in policies for step in policy.steps}
        self._statements = {policy.group: _statements(policy, bucket) for policy in policies}
        self._turn = _Turn()
        self._denials: list[Denial] = []

    @property
    def denials(self) -> list[Denial]:
        """What was denied so far, each once."""
        return list(self._denials)

    def invoker(self, invoke: LambdaInvoker) -> LambdaInvoker:
        """``invoke`` as the function that the machine calls: the one of the step's group."""

        def invoke_as_function(name: str, event: Mapping[str, Any], context: LambdaContext) -> Any:
            step = str(event["step"]) if event.get("kind") == "step" else ""
            with self._turn.of(self._group_of.get(step, STEP_FUNCTION), step):
                return invoke(name, event, context)

        return invoke_as_function

    def judge(self, request: HttpRequest) -> Answer | None:
        """A ``Judge`` for the local AWS."""
        signer = signer_of(request)
        acting = self._turn.acting()
        if signer is None or signer.key == ENGINE_KEY or acting is None:
            return None
        group, steps = acting
        asked = asked_of(request, signer)
        if asked is None:
            return None  # not known what it is: nothing to compare, and nothing that could be declared
        wanting = refusal(asked, self._statements[group])
        if wanting is None and signer.service == "s3":
            wanting = self._hidden(request, group)
        if wanting is None:
            return None
        denial = Denial(wanting, group, steps, self._bucket)
        if denial not in self._denials:
            self._denials.append(denial)
        return denied(request, signer, denial)

    def _hidden(self, request: HttpRequest, group: str) -> Asked | None:
        """Who may read an object but not list its bucket is not told that it is missing, but that it is denied."""
        bucket, key = place_of("", request.path)
        if request.method not in ("GET", "HEAD") or not key:
            return None
        listing = Asked("s3:ListBucket", (f"arn:aws:s3:::{bucket}",))
        if refusal([listing], self._statements[group]) is None:
            return None
        return listing if is_missing(bucket, key, inside("s3.models").s3_backends[ACCOUNT_ID]["aws"]) else None


class _Turn:
    """Whose turn it is: invocations of one group at the same time, of another when they have ended."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._group = STEP_FUNCTION
        self._steps: list[str] = []

    @contextmanager
    def of(self, group: str, step: str) -> Generator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._steps or self._group == group)
            self._group = group
            self._steps.append(step)
        try:
            yield
        finally:
            with self._changed:
                self._steps.remove(step)
                self._changed.notify_all()

    def acting(self) -> tuple[str, tuple[str, ...]] | None:
        """The group, and the steps that are run; None when nothing is."""
        with self._changed:
            return (self._group, tuple(sorted({step for step in self._steps if step}))) if self._steps else None


def _statements(policy: FunctionPolicy, bucket: str) -> list[Statement]:
    statements = local_statements(policy.statements, bucket)
    if policy.answers_tokens:  # a token does not tell of which machine it is
        statements.append(Statement("AnswerTaskTokens", tuple(a.lower() for a in TOKEN_ACTIONS), ("*",)))
    return statements
