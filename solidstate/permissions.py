"""``Permission``: what a solid or resource does in AWS beside storing its outputs, declared where it is done.

The policies of the deployed functions are made of these declarations alone, so a declaration names each action and what
it works on. Patterns that would allow more than their author can have meant are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from solidstate.errors import DefinitionError, DefinitionErrors, shown

_ACTION = re.compile(r"[a-z][a-z0-9-]*:[A-Za-z][A-Za-z0-9]*")
_ARN = re.compile(r"arn:([^:]+):([a-z0-9-]*):([^:]*):([^:]*):(.+)")
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)?|AWS::(AccountId|Partition|Region|StackName|URLSuffix)"
)
_EVERYTHING = re.compile(r"(?:[A-Za-z-]+[/:])?[*?/:]+")
"""The last part of an ARN that names nothing: ``*``, ``table/*``."""
NAMED = "name what is meant: `arn:aws:s3:::my-bucket/in/*`; `${Name}` stands for a parameter of the template"
"""How to repair a resource that stands for everything."""


class Permission(msgspec.Struct, frozen=True):
    """The actions (``s3:PutObject``) that are needed on the resources (ARNs); one of each may be given as text.

    ``${DataBucket}`` stands for the data bucket of the deployment, any other ``${Name}`` for a parameter of the
    template of that name, which is made if there is none; ``${Resource.Attribute}`` for an attribute of a resource that
    you have added to the template, ``${AWS::Region}`` and the like for what CloudFormation knows by these names.

    Raises DefinitionErrors for actions that stand for many, resources that are no ARNs or stand for everything.
    """

    actions: Sequence[str]
    resources: Sequence[str]

    def __post_init__(self) -> None:
        actions, resources = _texts(self.actions, "actions"), _texts(self.resources, "resources")
        problems = [problem for action in actions if (problem := _action_problem(action))]
        if not problems:
            problems = [problem for resource in resources if (problem := _resource_problem(resource, actions))]
        if problems:
            raise problems[0] if len(problems) == 1 else DefinitionErrors("`Permission`", problems)
        msgspec.structs.force_setattr(self, "actions", tuple(sorted(set(actions))))
        msgspec.structs.force_setattr(self, "resources", tuple(sorted(set(resources))))

    def placeholders(self) -> list[str]:
        """The names in ``${...}``, in order."""
        return [name for resource in self.resources for name in _PLACEHOLDER.findall(resource)]


def permission_tuple(given: object, subject: str, path: str = "") -> tuple[Permission, ...]:
    """What ``permissions=`` was given, each once. A statement as AWS writes it (``{"Action": ..., "Resource": ...}``)
    is understood too. Raises DefinitionErrors."""
    if given is None:
        return ()
    if isinstance(given, (str, bytes, Permission, Mapping)) or not isinstance(given, Iterable):
        raise _wrong(f"`permissions` of {subject}", "a list of `Permission`", given, subject, path)
    found: list[Permission] = []
    problems: list[DefinitionError] = []
    for number, one in enumerate(given):
        place = f"`permissions[{number}]` of {subject}"
        try:
            found.append(one if isinstance(one, Permission) else _from_statement(one, place, subject, path))
        except DefinitionError as error:
            items = error.items if isinstance(error, DefinitionErrors) else (error,)
            problems += [_at(item, subject, path) for item in items]
    if problems:
        raise problems[0] if len(problems) == 1 else DefinitionErrors(f"`permissions` of {subject}", problems)
    return tuple(dict.fromkeys(found))


def _from_statement(one: object, place: str, subject: str, path: str) -> Permission:
    if not isinstance(one, Mapping):
        raise _wrong(place, "a `Permission`", one, subject, path)
    known = {"Sid", "Effect", "Action", "Resource"}
    other = [key for key in one if key not in known]
    lacking = [key for key in ("Action", "Resource") if key not in one]
    if other or lacking or one.get("Effect", "Allow") != "Allow":
        found = (
            f"`{shown(other[0])}` in it" if other else f"no `{lacking[0]}`" if lacking else f"{shown(one['Effect'])}"
        )
        raise DefinitionError(
            f"{place} is no statement that can be taken over: expected `Action` and `Resource` that are allowed, found "
            f"{found}.",
            subject=subject,
            path=path,
            hint='write `{"Action": "s3:GetObject", "Resource": "arn:aws:s3:::my-bucket/in/*"}`; what needs more than '
            "that is an `AWS::IAM::Policy` in template.yaml",
        )
    return Permission(one["Action"], one["Resource"])


def _at(error: Any, subject: str, path: str) -> DefinitionError:
    """The same error, told of whoever declares it."""
    if not error.path:
        error.subject, error.path = subject, path
    return error  # type: ignore[no-any-return]  # one of the DefinitionErrors that were collected


def _wrong(argument: str, expected: str, found: object, subject: str, path: str) -> DefinitionError:
    return DefinitionError(
        f"{argument} must be {expected}, got {shown(found)} of type `{type(found).__name__}`.",
        subject=subject,
        path=path,
        hint='write `permissions=[Permission("s3:GetObject", "arn:aws:s3:::my-bucket/in/*")]`',
    )


def _texts(given: object, field: str) -> list[str]:
    texts = (
        [given] if isinstance(given, str) else list(given) if isinstance(given, (list, tuple, set, frozenset)) else []
    )
    if texts and all(isinstance(text, str) for text in texts):
        return texts
    raise DefinitionError(
        f"`Permission.{field}` must be text or a list of texts, got {shown(given)} of type `{type(given).__name__}`.",
        subject="Permission",
        hint='write `Permission("s3:GetObject", "arn:aws:s3:::my-bucket/in/*")`',
    )


def _action_problem(action: str) -> DefinitionError | None:
    if _ACTION.fullmatch(action):
        return None
    if "*" in action or "?" in action:
        return DefinitionError(
            f"The action {shown(action)} stands for many; expected each by its name, such as `s3:GetObject`.",
            subject="Permission",
            hint="`solidstate run TARGET --enforce-iam` tells which are needed",
        )
    return DefinitionError(
        f"{shown(action)} is no action; expected a service and what is done, such as `s3:GetObject`.",
        subject="Permission",
        hint="the Service Authorization Reference of AWS lists the actions of each service",
    )


def _resource_problem(resource: str, actions: list[str]) -> DefinitionError | None:
    names = _PLACEHOLDER.findall(resource)
    wrong = next((name for name in names if not _NAME.fullmatch(name)), None)
    if wrong is not None or resource.count("${") != len(names):
        return DefinitionError(
            f"The resource {shown(resource)} has a placeholder that is none: expected `${{Name}}`, "
            "`${Resource.Attribute}` or `${AWS::Region}`.",
            subject="Permission",
            hint="a name has letters and digits alone",
        )
    if resource == "*" or (resource.startswith("${") and names[0] != "DataBucket"):
        return None  # of an action that knows no resources, as plans check; a parameter or attribute that is an ARN
    parts = _ARN.fullmatch(resource)
    if parts is None:
        bucket = resource.removeprefix("s3://")
        guess = f"arn:aws:s3:::{bucket}" if actions[0].startswith("s3:") and bucket else "arn:aws:s3:::my-bucket/in/*"
        return DefinitionError(
            f"The resource {shown(resource)} is no ARN; expected `arn:partition:service:region:account:resource`.",
            subject="Permission",
            hint=f"write for example `{guess}`",
        )
    named = parts[5].partition("/")[0] if parts[2] == "s3" else parts[5]
    if "*" in parts[2] or _EVERYTHING.fullmatch(named):
        return DefinitionError(
            f"The resource {shown(resource)} stands for everything of its kind.",
            subject="Permission",
            hint=NAMED,
        )
    return None
