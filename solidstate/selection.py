"""Which steps of a pipeline to run: ``name``, ``name*`` (and all downstream), ``*name`` (and all upstream), ``name+2``
(and two steps down), ``2+name``, ``name+``, ``+name``; comma separated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from solidstate.config_errors import ConfigError
from solidstate.errors import closest, name_list, short, shown

_CLAUSE = re.compile(r"(?:(?P<up>\*|[0-9]{0,9}\+))?(?P<name>[A-Za-z_][A-Za-z0-9_.]*)(?P<down>\*|\+[0-9]{0,9})?")
MAX_EXPRESSION = 10_000


def select_steps(expression: str, upstream: Mapping[str, Sequence[str]]) -> tuple[list[str], list[ConfigError]]:
    """The selected steps in the mapping's order, and what is wrong with the expression.

    ``upstream`` maps every step to the steps it reads from, in plan order.
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
            hint = "write `name`, `name*`, `*name`, `name+1`, comma separated"
            errors.append(
                ConfigError("mismatch", ("steps",), f"{shown(clause)} is not a selection.", given=clause, hint=hint)
            )
            continue
        name = match["name"]
        if name not in upstream:
            near = closest(name, upstream)
            hint = f"did you mean `{near}`?" if near else f"steps: {name_list(list(upstream))}"
            errors.append(
                ConfigError(
                    "unknown",
                    ("steps",),
                    f"There is no step `{short(name)}`.",
                    given=clause,
                    suggestion=near,
                    hint=hint,
                )
            )
            continue
        chosen.add(name)
        chosen |= _reach(name, upstream, _depth(match["up"]))
        chosen |= _reach(name, downstream, _depth(match["down"]))
    return [name for name in upstream if name in chosen], errors


def _depth(mark: str | None) -> int | None:
    """How many steps to go: 0 without a mark, None for all."""
    if mark is None:
        return 0
    digits = mark.strip("+*")
    return None if mark == "*" else int(digits) if digits else 1


def _reach(start: str, edges: Mapping[str, Sequence[str]], depth: int | None) -> set[str]:
    seen: set[str] = set()
    front = [start]
    while front and (depth is None or depth > 0):
        front = [name for name in dict.fromkeys(n for f in front for n in edges[f]) if name not in seen]
        seen.update(front)
        depth = None if depth is None else depth - 1
    return seen
