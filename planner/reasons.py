"""Why steps have a rendezvous, in plain words."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from solidstate.planner.makespan import Makespan, Span
from solidstate.planner.nest import Nest
from solidstate.planner.placement import Place, regions_of

SHOWN = 6
"""Names written out in a sentence before the rest is counted."""
_EQUAL_S = 1e-9


class Rendezvous(msgspec.Struct, frozen=True):
    """Steps that wait by themselves, for the same and for the same reason. ``gate``: one gate before them waits in
    their stead. ``parks``: it is expected to be there before what it waits for, and so to cost one more transition."""

    steps: list[str]
    after: list[str]
    waits: list[str]
    gate: bool
    parks: bool
    reason: str


def meetings_of(nest: Nest, of_step: Mapping[str, Place], expected: Mapping[str, Makespan]) -> list[Rendezvous]:
    """All rendezvous from left to right. ``expected`` tells when units end, and inside of regions steps."""
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Place]] = {}
    for place in of_step.values():
        if place.waits:
            groups.setdefault((place.gate, place.after, place.waits), []).append(place)
    clock = _Clock(nest, expected)
    mapped = {step.name for region in nest.regions.values() for step in region.steps}
    return [_meeting(group, mapped, clock) for group in groups.values()]


class _Clock:
    """When steps are expected to end, and whether they park."""

    def __init__(self, nest: Nest, expected: Mapping[str, Makespan]) -> None:
        self._unit_of = regions_of(nest)
        self._outer = expected[""].spans
        self._inside = {name: span for one in expected.values() for name, span in one.spans.items()}

    def ends(self, names: Collection[str]) -> float:
        """The last of these, 0 for none: as seen from outside of regions, unless only the inside knows them."""
        return max((span.ends_s for name in names if (span := self._span(name)) is not None), default=0.0)

    def parks(self, place: Place) -> bool:
        spans = [self._inside.get(f"gate {place.gate}") if place.gate else None, self._span(place.step)]
        spans.append(self._inside.get(place.step))
        return any(span.parked for span in spans if span is not None)

    def _span(self, name: str) -> Span | None:
        return self._outer.get(self._unit_of.get(name, name))


def _meeting(group: list[Place], mapped: Collection[str], clock: _Clock) -> Rendezvous:
    place = group[0]
    steps = [one.step for one in group]
    whole = mapped if place.step not in mapped else ()
    return Rendezvous(
        steps=steps,
        after=list(place.after),
        waits=list(place.waits),
        gate=bool(place.gate),
        parks=any(clock.parks(one) for one in group),
        reason=_reason(steps, place, whole, clock.ends(place.after) - clock.ends(place.waits)),
    )


def _reason(steps: list[str], place: Place, mapped: Collection[str], later_s: float) -> str:
    """``later_s``: how much later what the steps hang under ends than what they wait for."""
    many = len(steps) > 1
    who, waits = named(steps), named(place.waits, mapped)
    they, them = ("they", "them") if many else ("it", "it")
    also = f"{they} also wait{'' if many else 's'}{' at one gate' if place.gate else ''} for {waits}"
    if not place.after:
        begins = f"{who} begin{'' if many else 's'} a branch at the start of the run"
        return f"{begins}; {also.replace('also ', '')}, which the nesting cannot place before {them}"
    is_last = "is" if len(place.after) == 1 else "are"
    last = ""
    if later_s > _EQUAL_S:
        last = f", which {is_last} expected to end last"
    elif later_s >= -_EQUAL_S:
        last = f", which {is_last} expected to end as late as any"
    hangs = f"{who} hang{'' if many else 's'} under {named(place.after, mapped)}{last}"
    return f"{hangs}; {also}, which the nesting cannot place before {them}"


def named(names: Collection[str], mapped: Collection[str] = ()) -> str:
    """``a``, ``b`` and ``c``; of mapped ones all items."""
    said = [f"all items of `{name}`" if name in mapped else f"`{name}`" for name in names]
    if len(said) > SHOWN:
        return ", ".join(said[:SHOWN]) + f" and {len(said) - SHOWN} more"
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + f" and {said[-1]}"
