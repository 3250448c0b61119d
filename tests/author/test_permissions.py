"""Permissions name what is done and on what; patterns that allow more than anybody means are refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import Permission, resource, solid
from solidstate.errors import DefinitionError, DefinitionErrors


def refused(*given: Any) -> str:
    with pytest.raises(DefinitionError) as caught:
        Permission(*given)
    return str(caught.value)


def test_text_and_lists_are_the_same() -> None:
    """One action or resource may be given as text; order and repetition do not matter."""
    one = Permission("s3:GetObject", "arn:aws:s3:::b/in/*")
    assert one == Permission(["s3:GetObject"], ("arn:aws:s3:::b/in/*",))
    assert Permission(["s3:PutObject", "s3:GetObject"], ["arn:aws:s3:::b/2", "arn:aws:s3:::b/1"]) == Permission(
        ["s3:GetObject", "s3:PutObject", "s3:PutObject"], ["arn:aws:s3:::b/1", "arn:aws:s3:::b/2"]
    )
    assert hash(one) == hash(Permission("s3:GetObject", "arn:aws:s3:::b/in/*"))


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:s3:::bucket",
        "arn:aws:s3:::bucket/*",
        "arn:aws:s3:::${DataBucket}/reports/*",
        "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/orders-${Stage}",
        "arn:aws:dynamodb:*:*:table/orders",
        "${TableArn}",
        "${Table.Arn}",
        "${Table.Arn}/index/*",
        "*",
    ],
)
def test_resources_that_are_taken(resource: str) -> None:
    """ARNs with patterns and placeholders; a placeholder may stand for an ARN; whether ``*`` may, a plan tells."""
    assert Permission("dynamodb:GetItem", resource).resources == (resource,)


def test_placeholders_are_told() -> None:
    """Who renders a template has to know them."""
    permission = Permission("s3:GetObject", ["arn:aws:s3:::${Bucket}/${Stage}/*", "arn:aws:s3:::${Other.Name}/*"])
    assert permission.placeholders() == ["Bucket", "Stage", "Other.Name"]


def test_many_actions_at_once() -> None:
    """An action with a wildcard is refused, with a way to find out which are needed."""
    for action in ("s3:*", "s3:Get*", "*", "s3:Get?bject"):
        assert refused(action, "arn:aws:s3:::b/*") == (
            f"The action '{action}' stands for many; expected each by its name, such as `s3:GetObject`.\n"
            "  fix: `solidstate run TARGET --enforce-iam` tells which are needed"
        )


def test_no_action() -> None:
    """What has no service is none."""
    assert refused("GetObject", "arn:aws:s3:::b/*") == (
        "'GetObject' is no action; expected a service and what is done, such as `s3:GetObject`.\n"
        "  fix: the Service Authorization Reference of AWS lists the actions of each service"
    )


@pytest.mark.parametrize(
    ("given", "guess"),
    [
        ("bucket/in/*", "arn:aws:s3:::bucket/in/*"),
        ("s3://bucket/in/*", "arn:aws:s3:::bucket/in/*"),
        ("${DataBucket}/reports/*", "arn:aws:s3:::${DataBucket}/reports/*"),
    ],
)
def test_no_arn(given: str, guess: str) -> None:
    """A bucket's name or URL is answered with its ARN."""
    assert refused("s3:GetObject", given) == (
        f"The resource '{given}' is no ARN; expected `arn:partition:service:region:account:resource`.\n"
        f"  fix: write for example `{guess}`"
    )


@pytest.mark.parametrize(
    "given", ["arn:aws:s3:::*", "arn:aws:s3:::*/in", "arn:aws:dynamodb:*:*:table/*", "arn:aws:sqs:*:*:*"]
)
def test_everything_of_a_kind(given: str) -> None:
    """A pattern that fits every bucket or table there is."""
    assert refused("s3:GetObject", given) == (
        f"The resource '{given}' stands for everything of its kind.\n"
        "  fix: name what is meant: `arn:aws:s3:::my-bucket/in/*`; `${Name}` stands for a parameter of the template"
    )


@pytest.mark.parametrize(
    "given", ["arn:aws:s3:::${a b}/*", "arn:aws:s3:::${}/*", "arn:aws:s3:::${a", "${AWS::Account}"]
)
def test_a_placeholder_that_is_none(given: str) -> None:
    """Names have letters and digits; of AWS's own there are a few."""
    assert refused("s3:GetObject", given) == (
        f"The resource '{given}' has a placeholder that is none: expected `${{Name}}`, `${{Resource.Attribute}}` or "
        "`${AWS::Region}`.\n  fix: a name has letters and digits alone"
    )


@pytest.mark.parametrize(
    ("field", "given"), [("actions", (5, "*")), ("actions", ([], "*")), ("resources", ("s3:GetObject", 5))]
)
def test_other_types(field: str, given: tuple[Any, Any]) -> None:
    """Neither text nor a list of texts."""
    assert refused(*given).startswith(f"`Permission.{field}` must be text or a list of texts, got ")


def test_all_problems_at_once() -> None:
    """Each action or resource that is wrong has its own error."""
    with pytest.raises(DefinitionErrors) as caught:
        Permission("s3:GetObject", ["a", "arn:aws:s3:::*"])
    assert len(caught.value.items) == 2


def test_declared_on_solids_and_resources() -> None:
    """As ``Permission``, or as AWS writes a statement; each once."""
    statement = {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b/in/*"]}
    read = Permission("s3:GetObject", "arn:aws:s3:::b/in/*")

    @solid(permissions=[statement, read])
    def load() -> int:
        return 1

    @resource(permissions=[read])
    def files() -> int:
        return 1

    assert load.permissions == files.permissions == (read,)


def test_what_is_no_list_of_permissions() -> None:
    """Everything that is wrong is said at once, with the place."""
    with pytest.raises(DefinitionError) as caught:

        @solid(name="no name", permissions=[5, {"Action": "s3:*", "Resource": "*"}, {"Action": "s3:GetObject"}])  # type: ignore[list-item]  # what is tested
        def load() -> int:
            return 1

    text = str(caught.value)
    assert text.startswith("Solid `no name`: 4 errors\n")
    assert "`permissions[0]` of solid `no name` must be a `Permission`, got 5 of type `int`." in text
    assert "The action 's3:*' stands for many" in text
    assert "`permissions[2]` of solid `no name` is no statement that can be taken over: expected `Action` and" in text
    assert "found no `Resource`." in text
    assert text.count("at: ") == 4


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}, "'Deny'"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", "Condition": {}}, "`'Condition'` in it"),
        ({"NotAction": "s3:GetObject", "Resource": "*"}, "`'NotAction'` in it"),
    ],
)
def test_statements_that_say_more(statement: dict[str, Any], found: str) -> None:
    """Conditions and denials belong into the template; they are not dropped in silence."""
    with pytest.raises(DefinitionError) as caught:

        @resource(permissions=[statement])
        def files() -> int:
            return 1

    assert f"found {found}." in str(caught.value)
    assert "is an `AWS::IAM::Policy` in template.yaml" in str(caught.value)


def test_one_permission_is_no_list() -> None:
    """The mistake that is made first."""
    with pytest.raises(DefinitionError, match=r"^`permissions` of resource `files` must be a list of `Permission`"):

        @resource(permissions=Permission("s3:GetObject", "arn:aws:s3:::b/*"))  # type: ignore[call-overload, untyped-decorator]  # what is tested
        def files() -> int:
            return 1
