"""Why steps have a rendezvous, in plain words."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from solidstate.planner.placement import Place

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


class Expected(msgspec.Struct, frozen=True):
    """What is expected of a run: when each step ends, in seconds (of a mapped step the last item), and who parks: steps
    and, by the first step behind them, gates."""

    ends_s: dict[str, float]
    parks: frozenset[str] = frozenset()

    def last_end(self, names: Collection[str]) -> float:
        return max((self.ends_s.get(name, 0.0) for name in names), default=0.0)


def meetings_of(places: Iterable[Place], mapped: Collection[str], expected: Expected) -> list[Rendezvous]:
    """All rendezvous of steps, in the order of ``places``; ``mapped`` are the steps that are run for items."""
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Place]] = {}
    for place in places:
        if place.waits:
            groups.setdefault((place.gate, place.after, place.waits), []).append(place)
    return [_meeting(group, mapped, expected) for group in groups.values()]


def _meeting(group: list[Place], mapped: Collection[str], expected: Expected) -> Rendezvous:
    place = group[0]
    steps = [one.step for one in group]
    whole = mapped if place.step not in mapped else ()
    return Rendezvous(
        steps=steps,
        after=list(place.after),
        waits=list(place.waits),
        gate=bool(place.gate),
        parks=not expected.parks.isdisjoint([place.gate] if place.gate else steps),
        reason=_reason(steps, place, whole, expected.last_end(place.after) - expected.last_end(place.waits)),
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
