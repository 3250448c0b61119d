"""The pipelines that are simulated: a few dozen small ones, drawn once, the same each time; and larger ones by name."""

from __future__ import annotations

import functools
import random
from typing import Any

import msgspec

from solidstate.handler.runtime import LoadedPipeline
from solidstate.pipeline import PipelineDefinition, pipeline
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from solidstate.planner.states import CALLBACK
from tests.sim.expected import Expected, expected_of
from tests.sim.solids import deal, fork, gather, judged, large, one, patient, source, three, two

TRAITS = ("plain", "skips", "maps", "meets", "waits for several", "waits and wakes", "meets and maps")
CHOSEN = (
    0,
    1,
    4,
    6,
    7,
    8,
    12,
    20,
    31,
    46,
    57,
    64,
    2,
    3,
    5,
    14,
    21,
    27,
    5,
    9,
    12,
    16,
    20,
    27,
    236,
    392,
    481,
    647,
    835,
    253,
    430,
    918,
    970,
    5,
    27,
    38,
    95,
    103,
    110,
)
"""Numbers of drawings, six for each trait as far as the first thousand have them: what is plain is soon known. Those of
several traits come several times."""


class Case(msgspec.Struct, frozen=True):
    """A pipeline, loaded and compiled once, and what every run of it must come to. ``meets``: some states wait."""

    loaded: LoadedPipeline
    machine: dict[str, Any]
    parts: dict[str, dict[str, Any]]
    expected: Expected
    meets: bool
    maps: bool

    @property
    def name(self) -> str:
        return self.loaded.definition.name

    def after(self, name: str) -> frozenset[str]:
        """A step and all that follow it, as ``name*`` selects them."""
        found = {name}
        for step in self.loaded.plan.steps:
            if not found.isdisjoint(step.upstream()):
                found.add(step.name)
        return frozenset(found)


def case_of(definition: PipelineDefinition) -> Case:
    plan = build_plan(definition)
    compiled = compile_plan(plan)
    parts = {part.name: msgspec.json.decode(part.definition) for part in compiled.parts}
    text = compiled.definition + b"".join(part.definition for part in compiled.parts)
    return Case(
        LoadedPipeline(definition, plan),
        msgspec.json.decode(compiled.definition),
        parts,
        expected_of(plan),
        meets=CALLBACK.encode() in text,
        maps=b'"Map"' in text,
    )


@functools.cache
def small_ones() -> list[Case]:
    """Those that are simulated by the thousand."""
    cases = {number: case_of(_drawn(number)) for number in dict.fromkeys(CHOSEN)}
    return [cases[number] for number in CHOSEN]


def traits_of(case: Case) -> list[str]:
    """What makes a case worth its time."""
    tasks = [task for machine in (case.machine, *case.parts.values()) for task in _tasks(machine["States"])]
    waiting = [task["Parameters"]["Payload"] for task in tasks if task["Resource"] == CALLBACK]
    found = {
        "plain": not waiting and not case.maps,
        "skips": any(case.expected.units.values()),
        "maps": case.maps,
        "meets": bool(waiting),
        "waits for several": any(len(payload["waits"]) > 1 for payload in waiting),
        "waits and wakes": any(payload.get("wakes") for payload in waiting),
        "meets and maps": bool(waiting) and case.maps,
    }
    return [trait for trait in TRAITS if found[trait]]


def _tasks(states: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for state in states.values():
        if state["Type"] == "Task":
            found.append(state)
        for inner in (*state.get("Branches", ()), *([state["ItemProcessor"]] if "ItemProcessor" in state else ())):
            found += _tasks(inner["States"])
    return found


def _drawn(number: int) -> PipelineDefinition:
    chance = random.Random(number)

    def body() -> None:
        steps = _Steps(chance)
        for _ in range(chance.randint(1, 3)):
            steps.add(source)
        for _ in range(chance.randint(2, 4)):
            steps.add_any()

    return pipeline(name=f"drawn_{number}")(body)


class _Steps:
    """A pipeline as it grows: ``made`` are the outputs that a further step may read."""

    def __init__(self, chance: random.Random) -> None:
        self.made: list[Any] = []
        self._chance = chance
        self._count = 0

    def _name(self) -> str:
        self._count += 1
        return f"s{self._count}"

    def add(self, solid: Any, *read: Any) -> Any:
        made = solid.alias(self._name())(*read)
        self.made += [made.kept, made.maybe] if solid is fork else [made]
        return made

    def some(self) -> Any:
        return self._chance.choice(self.made)

    def add_any(self) -> None:
        """One more step, or a mapped region of several."""
        kind = self._chance.choice(
            ["one", "two", "two", "two", "two", "three", "patient", "gather", "large", "fork", "judged", "map"]
        )
        if kind == "source":
            self.add(source)
        elif kind == "two":
            self.add(two, self.some(), self.some())
        elif kind == "three":
            self.add(three, self.some(), self.some(), self.some())
        elif kind == "gather":
            self.add(gather, [self.some() for _ in range(self._chance.randint(2, 3))])
        elif kind == "map":
            self._map()
        else:
            solid = {"one": one, "patient": patient, "large": large, "fork": fork, "judged": judged}[kind]
            self.add(solid, self.some())

    def _map(self) -> None:
        dealt = deal.alias(self._name())(self.some())
        self.made.append(dealt.whole)
        mapped = dealt.items
        for _ in range(self._chance.randint(1, 2)):
            mapped = mapped.map(self._chance.choice([one, patient, large]).alias(self._name()))
        self.add(gather, mapped.collect())


@pipeline
def n_shape() -> None:
    """The smallest graph with a rendezvous."""
    made = source.alias("a")()
    one.alias("c")(made)
    two.alias("d")(made, source.alias("b")())
