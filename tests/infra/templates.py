"""Pipelines that need something special of a deployment, and AWS's own transform for their templates."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import msgspec
import pytest

from solidstate import (
    Compute,
    DynamicOut,
    DynamicOutput,
    Mode,
    Permission,
    Secret,
    pipeline,
    pipeline_from_dependencies,
    resource,
    solid,
)
from solidstate.infra.cloudformation_yaml import load_template
from solidstate.infra.stack import Stack, Target, stack_of
from solidstate.infra.template_file import Options, new_template
from solidstate.pipeline import PipelineDefinition


class Login(msgspec.Struct):
    password: Secret = Secret(ssm="/shop/password")


@resource(permissions=[Permission(["dynamodb:GetItem", "dynamodb:Query"], ["${OrdersTableArn}"])])
def orders_table() -> int:
    return 1


@resource(permissions=[Permission("s3:PutObject", "arn:aws:s3:::${DataBucket}/reports/*")])
def reports(config: Login) -> int:
    return 1


@solid
def first() -> int:
    return 1


@solid(resources={"orders"})
def read(number: int) -> int:
    return number


@solid(compute=Compute(memory_mb=4096, timeout_s=60, ephemeral_mb=2048))
def crunch(number: int) -> int:
    return number


@solid(resources={"reports"}, permissions=[Permission("cloudwatch:PutMetricData", "*")])
def publish(number: int, other: int) -> int:
    return number + other


@pipeline(modes=[Mode("prod", {"orders": orders_table, "reports": reports}), Mode("test", {"orders": 1, "reports": 1})])
def shop() -> None:
    """Sell things."""
    number = read(first())
    publish(number, crunch(number))


@pipeline
def plain() -> None:
    first()


@solid
def join(number: int, other: int) -> int:
    return number + other


@solid(compute=Compute(memory_mb=2048))
def join_large(number: int, other: int) -> int:
    return number + other


@pipeline
def letter_n() -> None:
    """A graph that cannot be nested: its steps meet."""
    a, b = first.alias("a")(), first.alias("b")()
    join.alias("c")(a, b)
    crunch.alias("d")(a)
    join_large.alias("e")(a, crunch.alias("f")(b))


@solid(outs={"found": DynamicOut(int, max_items=5000)})
def find() -> Any:
    yield DynamicOutput(1, "one", "found")


@pipeline
def mapped() -> None:
    """More items than fit into one execution."""
    find().map(crunch)


def deep(teeth: int = 40) -> PipelineDefinition:
    """So deep that it takes several machines."""
    solids = [(first if number == 0 else read_plain).alias(f"a{number}") for number in range(teeth)]
    solids += [read_plain.alias(f"b{number}") for number in range(teeth)]
    feeds = {f"a{number + 1}": {"number": f"a{number}"} for number in range(teeth - 1)}
    feeds |= {f"b{number}": {"number": f"a{number}"} for number in range(teeth)}
    return pipeline_from_dependencies("deep", solids, feeds)


@solid
def read_plain(number: int) -> int:
    return number


@cache
def stack(name: str) -> Stack:
    """Of ``shop``, ``plain``, ``letter_n``, ``mapped``, ``deep``, or of ``both``: two pipelines at once."""
    definitions = {"shop": shop, "plain": plain, "letter_n": letter_n, "mapped": mapped}
    chosen = [shop, plain] if name == "both" else [deep()] if name == "deep" else [definitions[name]]
    return stack_of([Target(f"shops.pipeline:{one.name}", one) for one in chosen])


@cache
def rendered(name: str) -> str:
    return new_template(stack(name), Options())


def template(name: str) -> dict[str, Any]:
    """As data, a copy of its own each time."""
    return load_template(rendered(name), "template.yaml")


def translated(text: str) -> dict[str, Any]:
    """A template as CloudFormation gets it, by the library that the CloudFormation service itself uses."""
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    class NoManagedPolicies:
        def load(self) -> dict[str, str]:
            return {}

    # The transform refuses local paths, which `sam package` would have replaced by addresses in S3.
    text = re.sub(r"(CodeUri|DefinitionUri): (\.|build/.*)$", r"\1: s3://artifacts/key", text, flags=re.MULTILINE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        done: dict[str, Any] = transform(yaml_parse(text), {}, NoManagedPolicies())
    return dict(json.loads(json.dumps(done)))
