"""Rules on what is allowed: to roles, by policies wherever a template can write them, and to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from solidstate.infra.template_findings import Finding, Resources, items, of_type, properties, texts_in
from solidstate.planner.unscoped_actions import is_unscoped

_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")
_APART = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
_SERVERLESS = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
_RESOURCE_POLICIES = ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy")
_WIDE = ("AdministratorAccess", "PowerUserAccess", "FullAccess", "ReadOnlyAccess")
"""Ends of names of AWS's managed policies that allow more than any step needs."""
_ESCALATING = {
    "iam:addusertogroup",
    "iam:attachrolepolicy",
    "iam:attachuserpolicy",
    "iam:createaccesskey",
    "iam:createpolicyversion",
    "iam:passrole",
    "iam:putrolepolicy",
    "iam:putuserpolicy",
    "iam:updateassumerolepolicy",
    "lambda:addpermission",
    "lambda:updatefunctioncode",
    "lambda:updatefunctionconfiguration",
    "s3:putbucketpolicy",
    "s3:deletebucketpolicy",
    "s3:putbucketacl",
    "states:updatestatemachine",
    "sts:assumerole",
}
"""Actions with which a step could give itself more than it was given."""


def policy_findings(resources: Resources) -> Iterator[Finding]:
    for name, statement in _allowed(resources):
        yield from _too_much(name, statement)
    for name, resource in resources.items():
        yield from _managed(name, resource)
    for name, body in of_type(resources, "AWS::IAM::Role"):
        for statement in _statements(body.get("AssumeRolePolicyDocument")):
            if "*" in texts_in(statement.get("Principal")):
                yield Finding(name, "may be assumed by anybody", "name the service: `Service: lambda.amazonaws.com`")
    for name, body in of_type(resources, *_RESOURCE_POLICIES):
        for statement in _statements(body.get("PolicyDocument")):
            if statement.get("Effect") == "Allow" and "*" in texts_in(statement.get("Principal")):
                yield Finding(name, "allows something to everybody", "name who is meant as `Principal`")


def _allowed(resources: Resources) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every statement that allows something to a role, with the resource it stands in."""
    for name, resource in resources.items():
        body = properties(resource)
        kind = resource.get("Type")
        documents: list[Any] = []
        if kind in _INLINE:
            documents = [one.get("PolicyDocument") for one in items(body.get("Policies")) if isinstance(one, Mapping)]
        elif kind in _APART:
            documents = [body.get("PolicyDocument")]
        elif kind in _SERVERLESS:
            documents = items(body.get("Policies"))
        for document in documents:
            for statement in _statements(document):
                if statement.get("Effect") == "Allow":
                    yield name, statement


def _statements(document: Any) -> list[Mapping[str, Any]]:
    found = items(document.get("Statement")) if isinstance(document, Mapping) else []
    return [one for one in found if isinstance(one, Mapping)]


def _too_much(name: str, statement: Mapping[str, Any]) -> Iterator[Finding]:
    sid = f"statement `{statement['Sid']}`" if "Sid" in statement else "a statement"
    actions = [action for action in items(statement.get("Action")) if isinstance(action, str)]
    for key in ("NotAction", "NotResource", "NotPrincipal"):
        if key in statement:
            yield Finding(name, f"allows all but something: {sid} has `{key}`", "name what is allowed")
    for action in actions:
        if "*" in action or "?" in action:
            yield Finding(name, f"allows `{action}` in {sid}", "name each action that is needed")
        elif action.lower() in _ESCALATING:
            yield Finding(
                name, f"allows `{action}` in {sid}, with which it could allow itself more", "do this where you deploy"
            )
    scoped = [action for action in actions if not is_unscoped(action)]
    for resource in items(statement.get("Resource")):
        if isinstance(resource, str) and (resource == "*" or resource.endswith(":::*")) and scoped:
            yield Finding(name, f"allows `{scoped[0]}` on `{resource}` in {sid}", "name the ARNs that are meant")


def _managed(name: str, resource: Mapping[str, Any]) -> Iterator[Finding]:
    body = properties(resource)
    kind = resource.get("Type")
    given = items(body.get("ManagedPolicyArns")) if kind in _INLINE else []
    if kind in _SERVERLESS:
        given = items(body.get("Policies"))
    for policy in given:
        for text in texts_in(policy) if not (isinstance(policy, Mapping) and "Statement" in policy) else ():
            if text.endswith(_WIDE):
                told = text.rpartition("/")[2]
                yield Finding(
                    name, f"has the managed policy `{told}`, which allows far more than it needs", "name each action"
                )
