"""Secrets are found wherever a default or preset can hold them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest

from solidstate import Preset, Secret, Selector, composite_solid, pipeline, solid
from solidstate.planner.secret_references import permission_for, secrets_at


class Login(msgspec.Struct):
    password: Secret
    user: str = "me"


class Source(Selector):
    api: Login | None = None
    file: str | None = None


class Everywhere(msgspec.Struct):
    source: Source | None = None
    logins: list[Login] = []
    by_name: dict[str, Secret] = {}
    pair: tuple[Secret, int] | None = None
    default: Login = msgspec.field(default_factory=lambda: Login(Secret(ssm="/default")))
    hidden: Annotated[Secret | None, msgspec.Meta(description="maybe")] = None
    variable: Secret = Secret(env="TOKEN")


@solid
def use(config: Everywhere) -> int:
    return 1


def found(**config: Any) -> set[str]:
    @pipeline(presets=[Preset("p", run_config={"solids": {"use": {"config": config}}})])
    def one() -> None:
        use()

    return {permission.resources[0].rpartition("parameter")[2] for permission in secrets_at(one)[("solids", "use")]}


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, "/default"),
        ({"source": {"api": {"password": {"ssm": "/a"}}}}, "/default /a"),
        ({"logins": [{"password": {"ssm": "/a"}}, {"password": {"ssm": "/b"}}]}, "/default /a /b"),
        ({"by_name": {"x": {"ssm": "/a"}}}, "/default /a"),
        ({"pair": [{"ssm": "/a"}, 1]}, "/default /a"),
        ({"default": {"password": {"ssm": "/a"}}}, "/default /a"),
        ({"hidden": {"ssm": "/a"}}, "/default /a"),
        ({"hidden": {"env": "X"}, "user": "?"}, "/default"),
        ({"hidden": {"ssm": 5}, "logins": "none", "by_name": None}, "/default"),
    ],
    ids=str,
)
def test_in_every_place(config: dict[str, Any], names: str) -> None:
    """In fields, selectors, lists, mappings, tuples, defaults; what is wrong is told by the check of the preset."""
    assert found(**config) == set(names.split())


def test_in_composites() -> None:
    """Below a composite by its place; in a composite's own config for all steps that it may reach."""

    @solid
    def inner(config: Login) -> int:
        return 1

    @solid
    def other(number: int) -> int:
        return number

    @composite_solid(config=Login, config_fn=lambda config: {"inner": {"config": {"password": config.password}}})
    def outer() -> int:
        return other(inner())  # type: ignore[no-any-return]  # an output, in the body of a composite

    @composite_solid
    def plain() -> int:
        return inner()  # type: ignore[no-any-return]  # likewise

    config = {
        "outer": {"config": {"password": {"ssm": "/outer"}}},
        "plain": {"solids": {"inner": {"config": {"password": {"ssm": "/plain"}}}}},
    }

    @pipeline(presets=[Preset("p", run_config={"solids": config})])
    def nested() -> None:
        outer()
        plain()

    names = {
        owner[1]: [permission.resources[0].rpartition("/")[2] for permission in permissions]
        for owner, permissions in secrets_at(nested).items()
    }
    assert names == {"outer.inner": ["outer"], "outer.other": ["outer"], "plain.inner": ["plain"]}


@pytest.mark.parametrize(
    ("secret", "resource"),
    [
        (Secret(ssm="/a/b"), "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/a/b"),
        (Secret(ssm="plain:3"), "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/plain"),
        (Secret(ssm="arn:aws:ssm:eu-west-1:1:parameter/a/b:3"), "arn:aws:ssm:eu-west-1:1:parameter/a/b"),
        (
            Secret(secretsmanager="team/db"),
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:team/db-??????",
        ),
        (
            Secret(secretsmanager="arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf"),
            "arn:aws:secretsmanager:eu-west-1:1:secret:db-AbCdEf",
        ),
    ],
    ids=str,
)
def test_references_as_arns(secret: Secret, resource: str) -> None:
    """Names as they are in ARNs, versions left out."""
    permission = permission_for(secret)
    assert permission is not None
    assert permission.resources == (resource,)


def test_the_environment_needs_no_permission() -> None:
    """A variable is read without AWS."""
    assert permission_for(Secret(env="TOKEN")) is None
