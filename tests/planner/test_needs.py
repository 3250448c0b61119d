"""What a step needs in AWS: its solid's permissions, those of all it may open, secrets in defaults and presets."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate import Mode, Permission, Preset, Secret, failure_hook, pipeline, resource, solid
from solidstate.errors import DefinitionErrors
from solidstate.planner.build import build_plan
from solidstate.planner.needs import Need, needs_of

LAKE = Permission("s3:GetObject", "arn:aws:s3:::lake/*")
STUB = Permission("s3:GetObject", "arn:aws:s3:::stub/*")
KEYS = Permission("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/abc")
MAIL = Permission("sns:Publish", "arn:aws:sns:eu-west-1:111122223333:alarms")
METRICS = Permission("cloudwatch:PutMetricData", "*")


@resource(permissions=[KEYS])
def keys() -> int:
    return 1


@resource(permissions=[LAKE])
def lake(keys: int) -> int:
    return keys


@resource(permissions=[STUB])
def stub() -> int:
    return 1


@resource(permissions=[MAIL])
def mail() -> int:
    return 1


@failure_hook(resources={"mail"})
def tell(_: Any) -> None: ...


@solid(resources={"lake"}, permissions=[METRICS])
def read() -> int:
    return 1


@solid(hooks=[tell])
def count(number: int) -> int:
    return number


@solid
def end(number: int) -> int:
    return number


MODES = [
    Mode("prod", {"lake": lake, "keys": keys, "mail": mail}),
    Mode("test", {"lake": stub, "keys": 1, "mail": mail}),
]


@pipeline(modes=MODES)
def needy() -> None:
    end(count(read()))


def test_the_solid_s_own_and_all_it_may_open() -> None:
    """In every mode, resources that resources are made of included; hooks count, strangers do not."""
    assert needs_of(needy) == {
        "read": [
            Need(METRICS, "read"),
            Need(LAKE, "lake", resource=True),
            Need(KEYS, "keys", resource=True),
            Need(STUB, "lake", resource=True),
        ],
        "count": [Need(MAIL, "mail", resource=True)],
        "end": [],
    }


def test_plans_group_by_needs() -> None:
    """Each in a function that may do what its steps need, and no more."""
    assert {step.name: step.group for step in build_plan(needy).steps} == {
        "read": "ReadLakeKeys",
        "count": "Mail",
        "end": "",
    }


def test_everything_is_for_actions_that_know_no_resources() -> None:
    """Told with who declares it, before anything is deployed or run."""

    @solid(permissions=[Permission(["s3:GetObject", "s3:ListAllMyBuckets"], "*")])
    def greedy() -> int:
        return 1

    @pipeline
    def wide() -> None:
        greedy()

    with pytest.raises(DefinitionErrors) as caught:
        build_plan(wide)
    assert str(caught.value) == (
        "Pipeline `wide`: The resource '*' in the permissions of solid `greedy` stands for everything there is, but "
        "`s3:GetObject` works on what can be named.\n"
        "  at: wide.greedy\n"
        "  fix: name what is meant: `arn:aws:s3:::my-bucket/in/*`; `${Name}` stands for a parameter of the template"
    )


class Database(msgspec.Struct):
    password: Secret = Secret(ssm="/db/password")


class Config(msgspec.Struct):
    token: Secret


def test_secrets_are_needs() -> None:
    """Of the step that has them in its config, or that uses the resource which has."""

    @resource
    def database(config: Database) -> int:
        return 1

    @solid(resources={"database"})
    def load() -> int:
        return 1

    @solid
    def call(config: Config, number: int) -> int:
        return number

    nightly = {"solids": {"call": {"config": {"token": {"secretsmanager": "api", "key": "token"}}}}}

    @pipeline(modes=[Mode("default", {"database": database})], presets=[Preset("nightly", run_config=nightly)])
    def secretive() -> None:
        call(load())

    place = "${AWS::Region}:${AWS::AccountId}"
    assert needs_of(secretive) == {
        "load": [
            Need(
                Permission("ssm:GetParameter", f"arn:${{AWS::Partition}}:ssm:{place}:parameter/db/password"),
                "database",
                resource=True,
            )
        ],
        "call": [
            Need(
                Permission(
                    "secretsmanager:GetSecretValue",
                    f"arn:${{AWS::Partition}}:secretsmanager:{place}:secret:api-??????",
                ),
                "call",
            )
        ],
    }
