"""Random graphs of solids, composites, optional and dynamic outputs: as a pipeline, and as what it should do, computed
in the plainest way there is."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from solidstate import DynamicOut, DynamicOutput, Out, Output, composite_solid, pipeline, solid
from solidstate.handles import origin, over_of

BUG = 3
"""What `work` cannot stand: numbers with this rest modulo seven."""


@solid
def work(number: int) -> int:
    if number % 7 == BUG:
        raise ValueError(f"not {number}")
    return number + 1


@solid(outs={"o": Out(int, optional=True)})
def some(number: int) -> Any:
    if number % 3:
        yield Output(number * 2, "o")


@solid(outs={"items": DynamicOut(int, max_items=8)})
def make(number: int) -> Any:
    for count in range(number % 4):
        yield DynamicOutput(number + count, f"k{9 - count}", "items")


@solid
def pair(left: int, right: int) -> int:
    return left * 3 + right


@solid
def total(numbers: list[int]) -> int:
    return _folded(numbers)


@composite_solid
def worked(number: int) -> Any:
    return work(number)


@composite_solid
def nested(left: int, right: int) -> Any:
    return pair(worked(left), right)


@composite_solid
def selected(number: int) -> Any:
    return some(number)


def _folded(numbers: list[int]) -> int:
    """Differs with the order of the numbers; kept small, so that steps go on failing now and then."""
    result = 0
    for number in numbers:
        result = (result * 5 + number) % 101
    return result


class Op(msgspec.Struct, frozen=True):
    """One line of a pipeline's body. ``args`` are the numbers of earlier lines, taken modulo how many fit."""

    kind: str
    args: tuple[int, ...] = ()
    value: int = 0
    wrapped: bool = False


_KINDS = (
    "start",
    "work",
    "some",
    "make",
    "pair",
    "sum",
    "map_work",
    "map_some",
    "map_pair",
    "zip",
    "collect",
    "collect_make",
)


def zipped(left: Any, right: Any, join: Any) -> Any:
    """Item by item. The items themselves can only be the outer of two maps, and beside themselves need no second."""
    if over_of(right) != origin(right)[1]:
        return left.map(lambda a: right.map(lambda b: join(a, b)))
    if over_of(left) != origin(left)[1]:
        return right.map(lambda b: left.map(lambda a: join(a, b)))
    return right.map(lambda both: join(both, both))


@st.composite
def bodies(draw: st.DrawFn, max_size: int = 14) -> list[Op]:
    """Bodies of pipelines, beginning with a source and a dynamic output."""
    made = st.builds(
        Op,
        kind=st.sampled_from(_KINDS),
        args=st.tuples(st.integers(0, 30), st.integers(0, 30)),
        value=st.integers(0, 30),
        wrapped=st.booleans(),
    )
    # Two sources, the second through an optional output; items of the first; a map that needs the optional one.
    first = [
        Op("start", value=draw(st.integers(0, 12))),
        Op("make", (0, 0)),
        Op("some", (0, 0)),
        Op(draw(st.sampled_from(["map_pair", "map_work", "map_some"])), (0, 1)),
        Op("collect", (1, 1)),
    ]
    return [*first, *draw(st.lists(made, min_size=2, max_size=max_size))]


# What becomes of a step or an item: ("ok", value), ("absent",) (an optional output stayed out), ("failed",),
# ("lost",) (skipped because something failed), ("skip", whether for all items).
State = tuple[Any, ...]


class Many(msgspec.Struct):
    """Mapped values: the producer's own state and, when that is "ok", one state for each key. ``name`` is the step."""

    producer: State
    items: dict[str, State]
    dynamic: str


class Expected(msgspec.Struct):
    """By step: its status, the counts of its items when it is mapped, and its value or values."""

    statuses: dict[str, str] = {}
    items: dict[str, dict[str, int]] = {}
    values: dict[str, Any] = {}


def _run(fn: str, args: list[int]) -> State:
    if fn == "work":
        return ("failed",) if args[0] % 7 == BUG else ("ok", args[0] + 1)
    if fn == "same":
        return ("ok", args[0])
    if fn == "some":
        return ("ok", args[0] * 2) if args[0] % 3 else ("absent",)
    return ("ok", args[0] * 3 + args[1]) if fn == "pair" else ("ok", _folded(args))


def _after(fn: str, own: list[State], broadcast: list[State] | None = None) -> State:
    """A step's state from its inputs'. With ``broadcast`` it is one item of a mapped step."""
    every = [*own, *(broadcast or [])]
    if any(state[0] in ("failed", "lost") for state in every):
        return ("lost",)
    if any(state[0] in ("absent", "skip") for state in every):
        outside = any(state[0] in ("absent", "skip") for state in broadcast or [])
        return ("skip", outside or any(state[0] == "skip" and state[1] for state in own))
    return _run(fn, [state[1] for state in every])


_STATUS = {"ok": "success", "absent": "success", "failed": "failed", "lost": "skipped", "skip": "skipped"}


def build(ops: list[Op]) -> tuple[Any, Expected]:  # noqa: C901, PLR0915 - one case for each kind of line, in one place
    """The pipeline of a body, and what a run of it has to come to."""
    expected = Expected()
    record: dict[str, Any] = {}

    def plain(name: str, state: State) -> State:
        expected.statuses[name] = _STATUS[state[0]]
        if state[0] == "ok":
            expected.values[name] = state[1]
        return state

    def mapped(name: str, many: Many) -> Many:
        if many.producer[0] != "ok":
            expected.statuses[name] = "skipped"
            return many
        counts: dict[str, int] = {}
        for state in many.items.values():
            counts[_STATUS[state[0]]] = counts.get(_STATUS[state[0]], 0) + 1
        expected.items[name] = counts
        all_skipped = list(counts) == ["skipped"]
        expected.statuses[name] = "failed" if "failed" in counts else "skipped" if all_skipped else "success"
        expected.values[name] = {key: state[1] for key, state in many.items.items() if state[0] == "ok"}
        return many

    def each(fn: str, one: Many, other: Many | None = None, broadcast: list[State] | None = None) -> Many:
        items = {}
        for key, state in one.items.items():
            items[key] = _after(fn, [state, *([other.items[key]] if other else [])], broadcast or [])
        return Many(one.producer, items, one.dynamic)

    def collected(many: Many) -> State:
        if many.producer[0] in ("failed", "lost"):
            return ("lost",)
        if many.producer[0] == "skip":
            return ("skip", False)
        states = list(many.items.values())
        if any(state[0] in ("failed", "lost") for state in states):
            return ("lost",)
        if any(state[0] == "skip" and state[1] for state in states):
            return ("skip", False)
        return ("ok", _folded([state[1] for state in states if state[0] == "ok"]))

    def body() -> None:
        singles: list[tuple[Any, State]] = []
        manys: list[tuple[Any, Many]] = []
        for number, op in enumerate(ops):
            name = f"{op.kind}_{number}"
            one, two = (singles[arg % len(singles)] for arg in op.args) if singles and op.args else (None, None)
            m1, m2 = (manys[arg % len(manys)] for arg in op.args) if manys and op.args else (None, None)
            if op.kind == "start":
                source = solid(name=name)(_constant(op.value))
                singles.append((source(), plain(name, ("ok", op.value))))
            elif op.kind == "make" and one:
                state = _after("same", [one[1]])
                handle = make.alias(name)(one[0])
                count = state[1] % 4 if state[0] == "ok" else 0
                values = {f"k{9 - n}": ("ok", state[1] + n) for n in range(count)} if state[0] == "ok" else {}
                expected.statuses[name] = _STATUS[state[0]]
                manys.append((handle, Many(state, values, name)))
            elif op.kind in ("work", "some", "pair", "sum") and one and two:
                if op.kind == "sum":
                    singles.append((total.alias(name)([one[0], two[0]]), plain(name, _after("sum", [one[1], two[1]]))))
                elif op.kind == "pair" and op.wrapped:
                    first = plain(f"{name}.worked.work", _after("work", [one[1]]))
                    singles.append(
                        (nested.alias(name)(one[0], two[0]), plain(f"{name}.pair", _after("pair", [first, two[1]])))
                    )
                elif op.kind == "pair":
                    singles.append((pair.alias(name)(one[0], two[0]), plain(name, _after("pair", [one[1], two[1]]))))
                else:
                    used = {"work": worked, "some": selected} if op.wrapped else {"work": work, "some": some}
                    whole = f"{name}.{op.kind}" if op.wrapped else name
                    singles.append((used[op.kind].alias(name)(one[0]), plain(whole, _after(op.kind, [one[1]]))))
            elif op.kind in ("map_work", "map_some") and m1:
                fn = op.kind.removeprefix("map_")
                used = {"work": worked, "some": selected} if op.wrapped else {"work": work, "some": some}
                whole = f"{name}.{fn}" if op.wrapped else name
                manys.append((m1[0].map(used[fn].alias(name)), mapped(whole, each(fn, m1[1]))))
            elif op.kind == "map_pair" and m1 and two:
                broadcast = two[0]
                handle = m1[0].map(lambda item, name=name, broadcast=broadcast: pair.alias(name)(item, broadcast))
                manys.append((handle, mapped(name, each("pair", m1[1], broadcast=[two[1]]))))
            elif op.kind == "zip" and m1 and m2 and m1[1].dynamic == m2[1].dynamic:
                met = zipped(m1[0], m2[0], pair.alias(name))
                manys.append((met, mapped(name, each("pair", m1[1], m2[1]))))
            elif op.kind.startswith("collect") and m1:
                singles.append((total.alias(name)(m1[0].collect()), plain(name, collected(m1[1]))))
        record["done"] = True

    built = pipeline(name="random_graph")(body)
    assert record == {"done": True}
    return built, expected


def _constant(value: int) -> Any:
    def constant() -> int:
        return value

    return constant


def found(result: Any) -> Expected:
    """What a finished run came to, in the same form."""
    steps = result.summary.steps
    outputs = {"some": "o"}
    values = {}
    for step in steps:
        name = outputs.get(step.solid, "result")
        if step.solid != "make" and (step.items is not None or (step.status == "success" and name in step.outputs)):
            values[step.step] = result.output(step.step, name)
    return Expected(
        statuses={step.step: step.status for step in steps},
        items={step.step: step.items for step in steps if step.items is not None},
        values=values,
    )
