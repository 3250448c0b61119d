"""A pipeline whose config is made of choices: a Selector, secrets, a tagged union, composites around solids."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from solidstate import Mode, Preset, Secret, Selector, pipeline, resource, solid


class Csv(msgspec.Struct):
    """Text, one line a row."""

    path: str
    comma: Annotated[str, msgspec.Meta(min_length=1, max_length=1, description="Between columns.")] = ","


class Database(msgspec.Struct):
    host: str
    password: Secret


class Source(Selector):
    """Where rows come from."""

    csv: Csv | None = None
    database: Database | None = None
    empty: int | None = None


class Load(msgspec.Struct):
    source: Source
    token: Secret
    backup: Secret | None = None
    fallback: Source | None = None
    more: dict[str, Secret] = {}
    extra: dict[str, Any] = {}


class Account(msgspec.Struct):
    secret: Secret = Secret(env="ACCOUNT")


@resource
def account(config: Account) -> str:
    return config.secret.get()


@solid(resources={"account"}, tags={"owner": "ops", "tier": "1"})
def load(config: Load) -> int:
    return 1


@solid(tags={"owner": "web"})
def show(rows: int, title: str = "all") -> int:
    return rows


@pipeline(
    modes=[Mode("local", {"account": account})],
    presets=[
        Preset(
            "csv",
            run_config={
                "solids": {"load": {"config": {"source": {"csv": {"path": "a", "comma": ";"}}, "token": {"env": "T"}}}}
            },
        )
    ],
)
def choices() -> None:
    show(load())


@pipeline(modes=[Mode("local", {"account": account})])
def strict() -> None:
    show(load())
