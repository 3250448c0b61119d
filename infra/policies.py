"""What each function of a pipeline may do, derived: storage, the steps' own permissions, the secrets they read, answers
to task tokens. As data, of which the template is made as well as the judge of local runs.

Resources are texts with ``${...}`` in them, as ``Fn::Sub`` fills them in; ``${DataBucket}`` is the data bucket.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from solidstate.errors import CompileError
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.calls import calls_of
from solidstate.planner.compile import Compiled
from solidstate.planner.groups import STEP_FUNCTION
from solidstate.planner.needs import Need, needs_of
from solidstate.planner.plan import ExecutionPlan
from solidstate.storage.access import Access, access_of_runs, access_of_steps

BUCKET_ARN = "arn:${AWS::Partition}:s3:::${DataBucket}"
TOKEN_ACTIONS = ("states:SendTaskFailure", "states:SendTaskSuccess")
MAX_POLICY_CHARACTERS = 9_000
"""Of what is derived for one role. IAM takes 10,240 characters of all its policies (IAM user guide, "IAM and AWS STS
quotas"); names that are filled in take some, and so do the statements about logs and keys."""


class Statement(msgspec.Struct, frozen=True):
    """One statement that allows ``actions`` on ``resources``. ``why`` says for whom."""

    name: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: dict[str, dict[str, list[str]]] = {}
    why: str = ""


class FunctionPolicy(msgspec.Struct, frozen=True):
    """What the function of one group may do. ``answers_tokens``: also answer the task tokens of the pipeline's
    machines, whose ARNs are not known here."""

    group: str
    steps: tuple[str, ...]
    statements: tuple[Statement, ...]
    answers_tokens: bool = False


def function_policies(pipeline: PipelineDefinition, plan: ExecutionPlan, compiled: Compiled) -> list[FunctionPolicy]:
    """Of all functions that the pipeline's machines call, the step function first. Raises CompileError when a policy is
    larger than IAM takes."""
    needs = needs_of(pipeline)
    calls = [calls_of(definition) for definition in (compiled.definition, *(p.definition for p in compiled.parts))]
    answering = {group for call in calls for group in call.answering}
    parking = {step for call in calls for step in call.parking}
    steps: dict[str, list[str]] = {STEP_FUNCTION: []}
    for step in plan.steps:
        steps.setdefault(step.group, []).append(step.name)
    policies: list[FunctionPolicy] = []
    for group, names in steps.items():
        wanted = [need for name in names for need in needs[name]]
        storage = access_of_runs(plan.pipeline)
        if group:
            storage = access_of_steps(plan.pipeline, names, parking, meeting=group in answering)
        statements = (*map(_of_storage, storage), *_of_needs(wanted))
        _check_size(plan.pipeline, group, statements)
        policies.append(FunctionPolicy(group, tuple(names), statements, group in answering))
    return policies


def _of_storage(access: Access) -> Statement:
    if access.listing:
        # IfExists: S3 asks for this permission, without a prefix, when a key that is read does not exist.
        only = {"StringLikeIfExists": {"s3:prefix": list(access.patterns)}}
        return Statement(access.name, access.actions, (BUCKET_ARN,), only)
    return Statement(access.name, access.actions, tuple(f"{BUCKET_ARN}/{pattern}" for pattern in access.patterns))


def _of_needs(needs: Iterable[Need]) -> list[Statement]:
    """One statement for what works on the same resources, named after whom it is for."""
    actions: dict[tuple[str, ...], set[str]] = {}
    reasons: dict[tuple[str, ...], dict[str, None]] = {}
    for need in needs:
        on = tuple(need.permission.resources)
        actions.setdefault(on, set()).update(need.permission.actions)
        kind = "resource" if need.resource else "solid"
        reasons.setdefault(on, {})[f"{kind} `{need.reason}`"] = None
    names = _names([next(iter(reasons[on])) for on in actions])
    return [
        Statement(name, tuple(sorted(wanted)), on, why=f"For {_listed(list(reasons[on]))}.")
        for name, (on, wanted) in zip(names, actions.items(), strict=True)
    ]


def _names(reasons: Sequence[str]) -> list[str]:
    """A Sid for each: letters and digits, unique."""
    names: list[str] = []
    for reason in reasons:
        kind, _, name = reason.partition(" ")
        plain = kind.capitalize() + "".join(part[:1].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", name))
        same = sum(1 for other in names if re.fullmatch(rf"{plain}\d*", other))
        names.append(f"{plain}{same + 1}" if same else plain)
    return names


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def document_of(statements: Iterable[Statement]) -> dict[str, Any]:
    """The policy as IAM writes it, placeholders still in it."""
    return {"Version": "2012-10-17", "Statement": [_written(statement) for statement in statements]}


def _written(statement: Statement) -> dict[str, Any]:
    condition = {"Condition": statement.condition} if statement.condition else {}
    return {
        "Sid": statement.name,
        "Effect": "Allow",
        "Action": list(statement.actions),
        "Resource": list(statement.resources),
        **condition,
    }


def _check_size(pipeline: str, group: str, statements: Iterable[Statement]) -> None:
    size = len(msgspec.json.encode(document_of(statements)))
    if size > MAX_POLICY_CHARACTERS:
        raise CompileError(
            f"The function of {f'group `{group}`' if group else 'the plain steps'} of `{pipeline}` needs a policy of "
            f"{size:,} characters; at most {MAX_POLICY_CHARACTERS:,} fit into its role.",
            subject=pipeline,
            hint="declare permissions on fewer patterns, as in `arn:aws:s3:::my-bucket/in/*`",
        )
