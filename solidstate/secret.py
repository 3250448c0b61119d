"""``Secret``: config that names where a value is kept and never holds it.

A run request is stored, sent through Step Functions and shown in its console; so the only thing that may stand there is
a reference. The value is fetched inside the step, when the step asks for it, and is from then on taken out of
everything that is written down (``solidstate.redaction``).
"""

from __future__ import annotations

import importlib
import re
from typing import Any

import msgspec

from solidstate.errors import SolidstateError
from solidstate.redaction import MIN_LENGTH, remember

SOURCES = ("env", "ssm", "secretsmanager")
EXAMPLE = {"env": "NAME_OF_VARIABLE"}
PATTERNS = {
    "env": re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}"),
    "ssm": re.compile(r"[A-Za-z0-9_.:/-]{1,2048}"),  # names, ARNs, and `name:version`
    "secretsmanager": re.compile(r"[A-Za-z0-9/_+=.@:-]{1,2048}"),
    "key": re.compile(r"[^\x00-\x1f\x7f]{1,255}"),
}
"""What a reference of each kind can look like (API references of SSM and Secrets Manager)."""

FORM = "a reference to a secret: {env} | {ssm} | {secretsmanager, key?}"


class SecretError(SolidstateError):
    """A reference leads to no value that could be used. Another attempt would not help."""


class Secret(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, dict=True):
    """A config field that is a reference to a value: exactly one of

    ``{env: NAME}``               an environment variable,
    ``{ssm: /path}``              an SSM parameter (decrypted),
    ``{secretsmanager: ID}``      a secret of Secrets Manager; with ``key``, one field of the JSON document it holds.

    Written down, a Secret is its reference. ``get()`` is the value.
    """

    env: str | None = None
    ssm: str | None = None
    secretsmanager: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        problem = reference_problem(msgspec.to_builtins(self))
        if problem:
            raise SecretError(problem, hint=f"write for example `{EXAMPLE}`")

    @property
    def reference(self) -> str:
        """``env: NAME``, ``ssm: /path`` or ``secretsmanager: ID, key: FIELD``: safe to show."""
        told = [(name, getattr(self, name)) for name in (*SOURCES, "key")]  # the four fields above
        return ", ".join(f"{name}: {text}" for name, text in told if text is not None)

    def get(self) -> str:
        """The value, fetched at the first call and kept for the life of this object (one attempt of a step).

        Raises SecretError when there is none, StorageUnavailable when AWS did not answer.
        """
        kept: Any = self.__dict__
        if "value" not in kept:
            # By name: who fetches speaks to AWS and the environment, and belongs to a higher layer than config types.
            fetch = importlib.import_module("solidstate.storage.secret_sources").fetch
            value: str = fetch(self)
            if len(value) < MIN_LENGTH:
                raise SecretError(
                    f"The secret `{self.reference}` has {len(value)} characters; fewer than {MIN_LENGTH} cannot be "
                    "kept out of logs and events.",
                    subject=self.reference,
                    hint="use a longer value",
                )
            remember(value)
            kept["value"] = value
        text: str = kept["value"]
        return text

    def __repr__(self) -> str:
        return f"Secret({self.reference})"


def reference_problem(given: Any) -> str:
    """What is wrong with a reference, in words that do not repeat what was given; empty when nothing is."""
    if not isinstance(given, dict):
        kind = "None" if given is None else type(given).__name__
        return f"Expected {FORM}; got a value of type `{kind}`, which is not shown."
    named = [name for name in SOURCES if given.get(name) is not None]
    if not named or not given.keys() <= PATTERNS.keys():
        return f"Expected {FORM}; got a mapping that is none, which is not shown."
    if len(named) > 1:
        return f"Expected {FORM}; got {' and '.join(f'`{name}`' for name in named)} at once."
    if given.get("key") is not None and named != ["secretsmanager"]:
        return f"Expected {FORM}; got `key` beside `{named[0]}`, which has no fields."
    for name in (*named, "key"):
        text = given.get(name)
        if text is not None and not (isinstance(text, str) and PATTERNS[name].fullmatch(text)):
            return f"Expected {FORM}; got as `{name}` what is no name, which is not shown."
    return ""
