"""What a denied request is answered, as AWS words it, with the lines that would allow it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.sax.saxutils import escape

import msgspec

from solidstate.errors import short
from solidstate.infra.iam_asked import Answer, Asked, HttpRequest, Signer
from solidstate.infra.moto_inside import ACCOUNT_ID
from solidstate.infra.stack import BUCKET


class Denial(msgspec.Struct, frozen=True):
    """What was denied, to which function's role, and the steps that may have asked for it."""

    asked: Asked
    group: str
    steps: tuple[str, ...]
    bucket: str

    @property
    def declaration(self) -> str:
        """The line to add."""
        arns = [arn.replace(f":::{self.bucket}", f":::${{{BUCKET}}}") for arn in self.asked.resources] or ["arn:..."]
        on = f'"{arns[0]}"' if len(arns) == 1 else json.dumps(arns)
        return f'permissions=[Permission("{self.asked.action}", {on})]'

    @property
    def message(self) -> str:
        role = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{self.group or 'Step'}FunctionRole/local"
        on = f' on resource: "{self.asked.resources[0]}"' if self.asked.resources else ""
        who = " or ".join(f"`{step}`" for step in self.steps) or "the solid"
        return (
            f"User: {role} is not authorized to perform: {self.asked.action}{on} because no identity-based policy "
            f"allows the {self.asked.action} action. Declare it on {who}, or on the resource that does this: "
            f"{self.declaration}"
        )


def denied(request: HttpRequest, signer: Signer, denial: Denial) -> Answer:
    """The answer in the form of the protocol that the request came in."""
    message = denial.message
    if signer.service == "s3":
        body = f"<Error><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
        return 403, {"content-type": "application/xml"}, "" if request.method == "HEAD" else body
    if "x-amz-target" in request.headers:
        body = json.dumps({"__type": "AccessDeniedException", "message": message, "Message": message})
        return 400, {"content-type": "application/x-amz-json-1.1"}, body
    if signer.service == "ec2":
        error = f"<Code>UnauthorizedOperation</Code><Message>{escape(message)}</Message>"
        return 403, {"content-type": "text/xml"}, f"<Response><Errors><Error>{error}</Error></Errors></Response>"
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        error = f"<Type>Sender</Type><Code>AccessDenied</Code><Message>{escape(message)}</Message>"
        return 403, {"content-type": "text/xml"}, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
    headers = {"content-type": "application/json", "x-amzn-errortype": "AccessDeniedException"}
    return 403, headers, json.dumps({"message": message, "Message": message})


def told(denials: Sequence[Denial]) -> list[str]:
    """For people, after the run: each once, with who asked for it and what to add."""
    lines: dict[str, dict[str, None]] = {}
    for denial in denials:
        on = ", ".join(short(arn, 200) for arn in denial.asked.resources) or "a resource that could not be told"
        line = f"{denial.asked.action} on {on} is not declared\n  add: {denial.declaration}"
        lines.setdefault(line, {}).update(dict.fromkeys(denial.steps))
    return [f"{', '.join(steps) or 'a beginning or end'}: {line}" for line, steps in lines.items()]
