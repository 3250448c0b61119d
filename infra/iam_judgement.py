"""Whether a policy allows what a request asks for, as IAM would say it of an identity's policies: everything is denied
that no statement allows.

Placeholders whose values only a deployment knows fit anything here, and regions and accounts are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from solidstate.errors import EngineError
from solidstate.infra.iam_asked import Asked
from solidstate.infra.policies import Statement
from solidstate.infra.stack import BUCKET

ALWAYS = frozenset({"sts:GetCallerIdentity"})
"""Allowed whatever policies say (IAM user guide)."""
_LOCAL = {"AWS::Partition": "aws"}
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")


def local_statements(statements: Iterable[Statement], bucket: str) -> list[Statement]:
    """Statements with their placeholders filled in for this machine; ``bucket`` is the name of the data bucket."""
    known = {**_LOCAL, BUCKET: bucket}
    return [
        Statement(
            statement.name,
            tuple(action.lower() for action in statement.actions),
            tuple(
                _anywhere(_PLACEHOLDER.sub(lambda one: known.get(one[1], "*"), text)) for text in statement.resources
            ),
            statement.condition,
        )
        for statement in statements
    ]


def _anywhere(resource: str) -> str:
    """An ARN with any region and account, a bare pattern as it is."""
    parts = resource.split(":", 5)
    return ":".join([*parts[:3], "*", "*", parts[5]]) if len(parts) == 6 else resource


def refusal(asked: Sequence[Asked], statements: Sequence[Statement]) -> Asked | None:
    """The first thing asked for that nothing allows; None when all is allowed."""
    for one in asked:
        if one.action not in ALWAYS and not _is_allowed(one, statements):
            return one
    return None


def _is_allowed(asked: Asked, statements: Sequence[Statement]) -> bool:
    """Each resource has to be allowed, by any statement; one that is not known is taken to be."""
    fitting = [s for s in statements if asked.action.lower() in s.actions and _holds(s.condition, asked.context)]
    if not asked.resources:
        return bool(fitting)
    patterns = [pattern for statement in fitting for pattern in statement.resources]
    return all(any(_fits(pattern, resource) for pattern in patterns) for resource in asked.resources)


def _holds(condition: Mapping[str, Mapping[str, Sequence[str]]], context: Mapping[str, str]) -> bool:
    for operator, wanted in condition.items():
        if operator != "StringLikeIfExists":
            raise EngineError(f"Conditions with `{operator}` cannot be judged locally.", subject=operator)
        for key, patterns in wanted.items():
            if key in context and not any(_fits(pattern, context[key]) for pattern in patterns):
                return False
    return True


def _fits(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    """IAM's wildcards: ``*`` is any text, slashes included, and ``?`` one character."""
    return re.compile("".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern), re.DOTALL)
