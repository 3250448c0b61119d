"""Which steps of a pipeline to run: ``name``, ``name*`` (and all downstream), ``*name`` (and all upstream), ``name+2``
(and two steps down), ``2+name``, ``name+``, ``+name``. ``tag:owner=ops`` and ``tag:owner`` stand for every step with
that tag, with the same marks. Comma separated, they add up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from solidstate.config_errors import ConfigError
from solidstate.errors import closest, name_list, short, shown

_CLAUSE = re.compile(
    r"(?:(?P<up>\*|[0-9]{0,9}\+))?"
    r"(?:tag:(?P<tag>[^=,*+]+)(?:=(?P<value>[^,*+]*))?|(?P<name>[A-Za-z_][A-Za-z0-9_.]*))"
    r"(?P<down>\*|\+[0-9]{0,9})?"
)
MAX_EXPRESSION = 10_000


def select_steps(
    expression: str,
    upstream: Mapping[str, Sequence[str]],
    groups: Mapping[str, Sequence[str]] | None = None,
    tags: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[list[str], list[ConfigError]]:
    """The selected steps in the mapping's order, and what is wrong with the expression.

    ``upstream`` maps every step to the steps it reads from, in plan order; ``groups`` names that stand for several
    steps (composites) to these; ``tags`` are those of each step.
    """
    if len(expression) > MAX_EXPRESSION:
        problem = f"The selection has {len(expression)} characters; at most {MAX_EXPRESSION} are read."
        hint = "select with `*`: `name*` is a step and all that follows it"
        return [], [ConfigError("constraint", ("steps",), problem, given=expression[:60], hint=hint)]
    downstream: dict[str, list[str]] = {name: [] for name in upstream}
    for name, sources in upstream.items():
        for source in sources:
            downstream[source].append(name)
    chosen: set[str] = set()
    errors: list[ConfigError] = []
    for clause in dict.fromkeys(part.strip() for part in expression.split(",")):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            hint = "write `name`, `name*`, `*name`, `name+1`, `tag:key=value`, comma separated"
            errors.append(
                ConfigError("mismatch", ("steps",), f"{shown(clause)} is not a selection.", given=clause, hint=hint)
            )
            continue
        members = _members(match, upstream, groups or {}, tags or {})
        if not members:
            errors.append(_nothing(match, clause, [*upstream, *(groups or {})], tags or {}))
            continue
        chosen.update(members)
        chosen |= _reach(members, upstream, _depth(match["up"]))
        chosen |= _reach(members, downstream, _depth(match["down"]))
    return [name for name in upstream if name in chosen], errors


def _members(
    clause: re.Match[str],
    upstream: Mapping[str, Sequence[str]],
    groups: Mapping[str, Sequence[str]],
    tags: Mapping[str, Mapping[str, str]],
) -> list[str]:
    """The steps a clause names, without those its marks add."""
    tag, value, name = clause["tag"], clause["value"], clause["name"]
    if tag is None:
        return [name] if name in upstream else list(groups.get(name, ()))
    return [step for step in upstream if tag in (own := tags.get(step, {})) and value in (None, own[tag])]


def _nothing(clause: re.Match[str], text: str, names: list[str], tags: Mapping[str, Mapping[str, str]]) -> ConfigError:
    """The error of a clause that names no step."""
    if clause["tag"] is None:
        known, kind, asked = names, "steps", clause["name"]
        problem = f"There is no step `{short(asked)}`."
    else:
        known = list(dict.fromkeys(f"{key}={value}" for own in tags.values() for key, value in own.items()))
        kind, asked = "tags", text.strip("*+0123456789").removeprefix("tag:")
        problem = f"No step has the tag `{short(asked)}`."
    near = closest(asked, known)
    hint = f"did you mean `{near}`?" if near else f"{kind}: {name_list(known) or 'none'}"
    return ConfigError("unknown", ("steps",), problem, given=text, suggestion=near, hint=hint)


def _depth(mark: str | None) -> int | None:
    """How many steps to go: 0 without a mark, None for all."""
    if mark is None:
        return 0
    digits = mark.strip("+*")
    return None if mark == "*" else int(digits) if digits else 1


def _reach(start: Sequence[str], edges: Mapping[str, Sequence[str]], depth: int | None) -> set[str]:
    seen: set[str] = set()
    front = list(start)
    while front and (depth is None or depth > 0):
        front = [name for name in dict.fromkeys(n for f in front for n in edges[f]) if name not in seen]
        seen.update(front)
        depth = None if depth is None else depth - 1
    return seen
