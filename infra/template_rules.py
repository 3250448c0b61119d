"""What no template of ours may allow, and what it must have: rules on a template as data, before or after the SAM
transform. They judge what was written by hand beside what is generated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from solidstate.infra.policy_rules import policy_findings
from solidstate.infra.template_findings import Finding, Resources, items, of_type, texts_in
from solidstate.storage import keys

LEAST_DAYS = 15
"""Of the life of intermediates: a failed execution can be redriven for 14 days."""
_CLOSED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_SECRET_NAMES = ("PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "ACCESS_KEY")


def check_template(template: Mapping[str, Any]) -> list[Finding]:
    """Everything that is wrong, in the order of the rules."""
    resources: Resources = template.get("Resources") or {}
    globals_: Any = template.get("Globals") or {}
    found = list(policy_findings(resources))
    for rule in _RULES:
        found += rule(resources, globals_)
    return found


def public_functions(resources: Resources, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Nobody calls a function but the state machines."""
    urls = list(of_type(resources, "AWS::Lambda::Url"))
    serverless = of_type(resources, "AWS::Serverless::Function")
    urls += [(name, body["FunctionUrlConfig"]) for name, body in serverless if body.get("FunctionUrlConfig")]
    for name, url in urls:
        if url.get("AuthType") != "AWS_IAM":
            yield Finding(name, "has a URL that anybody may call", "set `AuthType: AWS_IAM`, or remove the URL")
    for name, body in of_type(resources, "AWS::Lambda::Permission"):
        if body.get("Principal") == "*":
            yield Finding(name, "lets anybody call a function", "name the service or account as `Principal`")


def buckets(resources: Resources, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Every bucket is closed, encrypted, versioned, without ACLs, kept, and reached by TLS alone."""
    policies = [body for _, body in of_type(resources, "AWS::S3::BucketPolicy")]
    for name, body in of_type(resources, "AWS::S3::Bucket"):
        block: Any = body.get("PublicAccessBlockConfiguration") or {}
        if any(block.get(key) not in (True, "true") for key in _CLOSED):
            yield Finding(name, "may be made public", f"set {', '.join(_CLOSED)} to true")
        if not body.get("BucketEncryption"):
            yield Finding(name, "says nothing of encryption", "add `BucketEncryption`")
        if (body.get("VersioningConfiguration") or {}).get("Status") != "Enabled":
            yield Finding(name, "keeps no versions", "set `VersioningConfiguration: {Status: Enabled}`")
        owned = [rule.get("ObjectOwnership") for rule in (body.get("OwnershipControls") or {}).get("Rules", ())]
        if owned != ["BucketOwnerEnforced"] or body.get("AccessControl"):
            yield Finding(name, "has ACLs", "set `ObjectOwnership: BucketOwnerEnforced`")
        kept = {resources[name].get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")}
        if not kept <= {"Retain", "RetainExceptOnCreate"}:
            yield Finding(name, "is deleted with the stack", "set `DeletionPolicy` and `UpdateReplacePolicy` to Retain")
        statements = [one for policy in policies if name in texts_in(policy.get("Bucket")) for one in _denials(policy)]
        if not any(_is_tls_only(one) for one in statements):
            yield Finding(
                name, "may be reached without TLS", 'deny `s3:*` where `"aws:SecureTransport": "false"`, in its policy'
            )
        yield from _lifecycle(name, body)
    yield from _data_bucket(resources, policies)


def _lifecycle(name: str, body: Mapping[str, Any]) -> Iterator[Finding]:
    rules = [rule for rule in (body.get("LifecycleConfiguration") or {}).get("Rules", ()) if isinstance(rule, Mapping)]
    for rule in rules:
        days = rule.get("ExpirationInDays")
        if (
            isinstance(days, int)
            and days < LEAST_DAYS
            and str(rule.get("Prefix", "")).startswith((f"{keys.ROOT}/", ""))
        ):
            yield Finding(
                name,
                f"loses objects after {days} days, within which a failed execution may still be redriven",
                f"keep them for {LEAST_DAYS} days or longer",
            )
    if not any(rule.get("AbortIncompleteMultipartUpload") for rule in rules):
        yield Finding(name, "keeps incomplete uploads for ever", "add a rule with `AbortIncompleteMultipartUpload`")


def _data_bucket(resources: Resources, policies: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """Commits are created, never overwritten."""
    if "Data" not in resources:
        return
    denials = [one for policy in policies for one in _denials(policy)]
    for one in denials:
        null: Any = (one.get("Condition") or {}).get("Null") or {}
        commits = any(f"/{keys.ROOT}/commits/*" in text for text in texts_in(one.get("Resource")))
        if commits and "s3:PutObject" in items(one.get("Action")) and null.get("s3:if-none-match") in ("true", True):
            return
    yield Finding(
        "Data",
        "lets commits be overwritten",
        f'deny `s3:PutObject` on `{keys.ROOT}/commits/*` where `"s3:if-none-match"` is null, in its policy',
    )


def _denials(policy: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements = items((policy.get("PolicyDocument") or {}).get("Statement"))
    return [one for one in statements if isinstance(one, Mapping) and one.get("Effect") == "Deny"]


def _is_tls_only(one: Mapping[str, Any]) -> bool:
    plain: Any = (one.get("Condition") or {}).get("Bool") or {}
    everybody = one.get("Principal") in ("*", {"AWS": "*"})
    everything = {"s3:*", "*"} & set(map(str, items(one.get("Action"))))
    return bool(everybody and everything and str(plain.get("aws:SecureTransport")).lower() == "false")


def machines(resources: Resources, _: Mapping[str, Any]) -> Iterator[Finding]:
    """Executions are standard ones, traced, and logged without their data."""
    for name, body in of_type(resources, "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"):
        logging: Any = body.get("Logging") or body.get("LoggingConfiguration") or {}
        tracing: Any = body.get("Tracing") or body.get("TracingConfiguration") or {}
        if (body.get("Type") or body.get("StateMachineType") or "STANDARD") != "STANDARD":
            yield Finding(name, "is an express state machine, on which runs cannot rely", "set `Type: STANDARD`")
        if logging.get("Level") not in ("ERROR", "ALL", "FATAL") or not logging.get("Destinations"):
            yield Finding(name, "does not log its failures", "add `Logging` with `Level: ERROR` and a log group")
        if logging.get("IncludeExecutionData") not in (None, False, "false"):
            yield Finding(name, "writes run requests into logs", "set `IncludeExecutionData: false`")
        if not (tracing.get("Enabled")):
            yield Finding(name, "is not traced", "set `Tracing: {Enabled: true}`")


def logs(resources: Resources, globals_: Mapping[str, Any]) -> Iterator[Finding]:
    """Logs are not kept for ever, and each function has a log group that says so."""
    for name, body in of_type(resources, "AWS::Logs::LogGroup"):
        if not body.get("RetentionInDays"):
            yield Finding(name, "keeps logs for ever", "set `RetentionInDays`")
    common: Any = (globals_.get("Function") or {}).get("LoggingConfig") or {}
    for name, body in of_type(resources, "AWS::Serverless::Function", "AWS::Lambda::Function"):
        if not {**common, **(body.get("LoggingConfig") or {})}.get("LogGroup"):
            yield Finding(name, "makes a log group that is kept for ever", "name one in `LoggingConfig`")


def secrets(resources: Resources, globals_: Mapping[str, Any]) -> Iterator[Finding]:
    """No secret stands in the template."""
    bodies = of_type(resources, "AWS::Serverless::Function", "AWS::Lambda::Function")
    for name, body in [*bodies, ("Globals", globals_.get("Function") or {})]:
        variables: Any = (body.get("Environment") or {}).get("Variables") or {}
        for variable, value in variables.items():
            known = any(word in str(variable).upper() for word in _SECRET_NAMES)
            if known and isinstance(value, str) and value and "{{resolve:" not in value:
                yield Finding(
                    name,
                    f"holds the value of `{variable}`",
                    "refer to it in a run request or a default: `Secret(ssm=...)`, `Secret(secretsmanager=...)`",
                )


_Rule = Callable[[Resources, Mapping[str, Any]], Iterator[Finding]]
_RULES: tuple[_Rule, ...] = (public_functions, buckets, machines, logs, secrets)
