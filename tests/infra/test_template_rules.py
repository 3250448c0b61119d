"""Every hole that can be planted into a template is found, by the rule that is there for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from solidstate.infra.template_rules import check_template
from tests.infra.templates import rendered, template, translated

Resources = dict[str, dict[str, Any]]


def properties(resources: Resources, name: str) -> dict[str, Any]:
    found: dict[str, Any] = resources[name]["Properties"]
    return found


def without(*path: str) -> Callable[[Resources], None]:
    def plant(resources: Resources) -> None:
        place: Any = resources
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]

    return plant


def with_(value: Any, *path: Any) -> Callable[[Resources], None]:
    def plant(resources: Resources) -> None:
        place: Any = resources
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return plant


def url(resources: Resources) -> None:
    target = {"Ref": "PlainStepFunction"}
    resources["Url"] = {"Type": "AWS::Lambda::Url", "Properties": {"TargetFunctionArn": target, "AuthType": "NONE"}}


def permission(resources: Resources) -> None:
    body = {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "PlainStepFunction"}, "Principal": "*"}
    resources["Public"] = {"Type": "AWS::Lambda::Permission", "Properties": body}


def bucket(resources: Resources) -> None:
    resources["Mine"] = {"Type": "AWS::S3::Bucket"}


def short_lived(resources: Resources) -> None:
    properties(resources, "Data")["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] = 14


def no_housekeeping(resources: Resources) -> None:
    properties(resources, "Data")["LifecycleConfiguration"]["Rules"].pop()


def only_reads_by_tls(resources: Resources) -> None:
    properties(resources, "DataPolicy")["PolicyDocument"]["Statement"][0]["Action"] = "s3:GetObject"


def somebody_by_tls(resources: Resources) -> None:
    statement = properties(resources, "DataPolicy")["PolicyDocument"]["Statement"][0]
    statement["Principal"] = {"AWS": "arn:aws:iam::111122223333:root"}


def password(resources: Resources) -> None:
    properties(resources, "PlainStepFunction")["Environment"]["Variables"]["DB_PASSWORD"] = "hunter22"


DATA = ("Data", "Properties")
MACHINE = ("Plain", "Properties")
HOLES: dict[str, tuple[Callable[[Resources], None], str]] = {
    "a public function URL": (url, "`Url` has a URL that anybody may call."),
    "a public permission": (permission, "`Public` lets anybody call a function."),
    "no public access block": (without(*DATA, "PublicAccessBlockConfiguration"), "`Data` may be made public."),
    "half a public access block": (
        with_(False, *DATA, "PublicAccessBlockConfiguration", "BlockPublicPolicy"),
        "`Data` may be made public.",
    ),
    "an unencrypted bucket": (without(*DATA, "BucketEncryption"), "`Data` says nothing of encryption."),
    "an unversioned bucket": (without(*DATA, "VersioningConfiguration"), "`Data` keeps no versions."),
    "suspended versions": (
        with_({"Status": "Suspended"}, *DATA, "VersioningConfiguration"),
        "`Data` keeps no versions.",
    ),
    "a bucket with ACLs": (without(*DATA, "OwnershipControls"), "`Data` has ACLs."),
    "a canned ACL": (with_("PublicRead", *DATA, "AccessControl"), "`Data` has ACLs."),
    "a bucket that goes with the stack": (without("Data", "DeletionPolicy"), "`Data` is deleted with the stack."),
    "a bucket that goes when replaced": (
        with_("Delete", "Data", "UpdateReplacePolicy"),
        "`Data` is deleted with the stack.",
    ),
    "no denial without TLS": (only_reads_by_tls, "`Data` may be reached without TLS."),
    "a denial for some without TLS": (somebody_by_tls, "`Data` may be reached without TLS."),
    "no bucket policy": (without("DataPolicy"), "`Data` may be reached without TLS."),
    "a short life": (
        short_lived,
        "`Data` loses objects after 14 days, within which a failed execution may still be redriven.",
    ),
    "uploads for ever": (no_housekeeping, "`Data` keeps incomplete uploads for ever."),
    "another bucket": (bucket, "`Mine` may be made public."),
    "execution data in logs": (
        with_(True, *MACHINE, "Logging", "IncludeExecutionData"),
        "`Plain` writes run requests into logs.",
    ),
    "no logs": (without(*MACHINE, "Logging"), "`Plain` does not log its failures."),
    "logs switched off": (with_("OFF", *MACHINE, "Logging", "Level"), "`Plain` does not log its failures."),
    "no tracing": (without(*MACHINE, "Tracing"), "`Plain` is not traced."),
    "an express machine": (
        with_("EXPRESS", *MACHINE, "Type"),
        "`Plain` is an express state machine, on which runs cannot rely.",
    ),
    "logs for ever": (without("PlainLogs", "Properties", "RetentionInDays"), "`PlainLogs` keeps logs for ever."),
    "a log group of Lambda's own": (
        without("PlainStepFunction", "Properties", "LoggingConfig"),
        "`PlainStepFunction` makes a log group that is kept for ever.",
    ),
    "a password": (password, "`PlainStepFunction` holds the value of `DB_PASSWORD`."),
}
_IN_SAM = {"Logging": "LoggingConfiguration", "Tracing": "TracingConfiguration", "Type": "StateMachineType"}


@pytest.mark.parametrize(("plant", "told"), HOLES.values(), ids=HOLES.keys())
def test_a_planted_hole_is_found(plant: Callable[[Resources], None], told: str) -> None:
    """In the template, and nothing else is."""
    planted = template("plain")
    plant(planted["Resources"])
    findings = [str(finding).splitlines()[0] for finding in check_template(planted)]
    assert told in findings
    assert len({finding.split()[0] for finding in findings}) == 1


@pytest.mark.parametrize("name", ["execution data in logs", "logs switched off", "no tracing", "an express machine"])
def test_holes_of_machines_are_found_after_the_transform(name: str) -> None:
    """Where their properties have other names."""
    plain = translated(rendered("plain"))
    body = properties(plain["Resources"], "Plain")
    renamed = {old: body.pop(new) for old, new in _IN_SAM.items()}
    body |= renamed
    plant, told = HOLES[name]
    plant(plain["Resources"])
    body |= {new: body.pop(old) for old, new in _IN_SAM.items() if old in body}
    assert told in [str(finding).splitlines()[0] for finding in check_template(plain)]


def test_overwritten_commits_are_found() -> None:
    """Whatever is missing of the denial: the statement, its action, its place, its condition."""
    for change in (
        lambda statement: statement.update(Action="s3:DeleteObject"),
        lambda statement: statement.update(Resource={"Fn::Sub": "${Data.Arn}/commits/*"}),
        lambda statement: statement.pop("Condition"),
        lambda statement: statement.update(Effect="Allow", Principal={"AWS": "arn:aws:iam::1:root"}),
    ):
        planted = template("plain")
        change(properties(planted["Resources"], "DataPolicy")["PolicyDocument"]["Statement"][1])
        assert [str(finding) for finding in check_template(planted)] == [
            "`Data` lets commits be overwritten.\n"
            '  fix: deny `s3:PutObject` on `v1/commits/*` where `"s3:if-none-match"` is null, in its policy'
        ]


def test_globals_count() -> None:
    """A log group for all functions is one for each; a password for all is one too many."""
    planted = template("plain")
    del properties(planted["Resources"], "PlainStepFunction")["LoggingConfig"]
    planted["Globals"]["Function"]["LoggingConfig"] = {"LogGroup": {"Ref": "PlainStepFunctionLogs"}}
    assert check_template(planted) == []
    planted["Globals"]["Function"]["Environment"] = {"Variables": {"API_KEY": "abc", "TOKEN": {"Ref": "Token"}}}
    assert [str(finding).splitlines()[0] for finding in check_template(planted)] == [
        "`Globals` holds the value of `API_KEY`."
    ]


def test_a_function_url_in_sam() -> None:
    """A property of the function, before the transform."""
    planted = template("plain")
    properties(planted["Resources"], "PlainStepFunction")["FunctionUrlConfig"] = {"AuthType": "NONE"}
    assert [finding.problem for finding in check_template(planted)] == ["has a URL that anybody may call"]
    properties(planted["Resources"], "PlainStepFunction")["FunctionUrlConfig"] = {"AuthType": "AWS_IAM"}
    assert check_template(planted) == []


def test_the_careless_template_of_the_books() -> None:
    """What scanners miss in a template before the transform."""
    careless = {
        "Data": {"Type": "AWS::S3::Bucket"},
        "Step": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": ".",
                "Policies": [{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}],
                "FunctionUrlConfig": {"AuthType": "NONE"},
            },
        },
        "Machine": {
            "Type": "AWS::Serverless::StateMachine",
            "Properties": {
                "Policies": [{"Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}]
            },
        },
    }
    found = {(finding.resource, finding.problem) for finding in check_template({"Resources": careless})}
    assert {
        ("Step", "allows `s3:*` in a statement"),
        ("Step", "allows `s3:*` on `*` in a statement"),
        ("Step", "has a URL that anybody may call"),
        ("Machine", "allows `lambda:InvokeFunction` on `*` in a statement"),
        ("Machine", "does not log its failures"),
        ("Data", "may be made public"),
        ("Data", "may be reached without TLS"),
        ("Data", "lets commits be overwritten"),
    } <= found
