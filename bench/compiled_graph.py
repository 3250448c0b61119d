"""One graph, compiled and run in thought: the figures of one process.

``python -m bench.compiled_graph FILE`` or ``FAMILY SIZE`` prints them as one JSON object.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import msgspec

from bench.graphs import Graph, drawn_graph, read_graph
from bench.levels import compile_levels
from solidstate.planner.compile import Compiled, compile_plan, substitute
from solidstate.planner.critical_path import critical_path
from solidstate.planner.history import history_events
from solidstate.planner.plan import ExecutionPlan
from solidstate.planner.simulate import Simulation, simulate
from solidstate.planner.simulated_time import Latencies
from solidstate.planner.states import Machine, Map, Parallel, State, deployed_bytes

SIGMA = 0.5
"""How wrong misjudged durations are: standard deviation of their logarithm."""
FUNCTION_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:pipeline"


class Run(msgspec.Struct, frozen=True):
    """One way of compiling a graph, simulated with the true durations. ``ratio`` is the time between Start run and End
    run to the floor, ``whole`` that of the whole execution; the rest is per step."""

    ratio: float
    whole: float
    transitions: float
    invocations: float
    parked: int


class Figures(msgspec.Struct, frozen=True):
    """What was found about a graph. The floor is its critical path in seconds, ``seconds`` is CPU time, ``mb`` the peak
    of the process. Bytes are without white space and with ARNs of a usual length."""

    name: str
    family: str
    steps: int
    floor: float
    right: Run
    unknown: Run
    misjudged: Run
    levels: Run
    kb_per_step: float
    machines: int
    kb_largest: float
    events_worst: int
    history: int
    depth: int
    seconds: float
    mb: float


def figures(graph: Graph) -> Figures:
    """Everything the tables show."""
    plan, seconds = graph.plan(), graph.seconds()
    began = time.process_time()
    compiled = compile_plan(plan, seconds)
    took = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    floor = critical_path(plan, seconds, Latencies().per_step_s).seconds
    simulated = _simulated(plan, compiled, seconds)
    misjudged = compile_plan(plan, graph.misjudged(SIGMA))
    sizes = [len(_compact(definition)) for definition in _definitions(compiled)]
    return Figures(
        name=graph.name,
        family=graph.family,
        steps=len(plan.steps),
        floor=floor,
        right=_run(simulated, floor, plan),
        unknown=_run(_simulated(plan, compile_plan(plan), seconds), floor, plan),
        misjudged=_run(_simulated(plan, misjudged, seconds), floor, plan),
        levels=_run(_simulated(plan, compile_levels(plan), seconds), floor, plan),
        kb_per_step=sum(sizes) / 1000 / len(plan.steps),
        machines=len(sizes),
        kb_largest=max(deployed_bytes(definition) for definition in _definitions(compiled)) / 1000,
        events_worst=max(history_events(definition, plan) for definition in _definitions(compiled)),
        history=max(events for _, events in simulated.histories),
        depth=max(_depth(msgspec.json.decode(one, type=Machine)) for one in _definitions(compiled)),
        seconds=took,
        mb=peak,
    )


def compile_seconds(graph: Graph) -> tuple[float, float]:
    """CPU seconds of the quickest of several compilations (at least three, at least a second of them), and the peak in
    MB."""
    plan, seconds = graph.plan(), graph.seconds()
    taken: list[float] = []
    while len(taken) < 3 or sum(taken) < 1:
        began = time.process_time()
        compile_plan(plan, seconds)
        taken.append(time.process_time() - began)
    return min(taken), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _simulated(plan: ExecutionPlan, compiled: Compiled, seconds: dict[str, float]) -> Simulation:
    parts = {part.name: part.definition for part in compiled.parts}
    found = simulate(plan, compiled.definition, parts, seconds)
    assert len(found.done) == len(plan.steps), f"only {len(found.done)} of {len(plan.steps)} steps were run"
    return found


def _run(found: Simulation, floor: float, plan: ExecutionPlan) -> Run:
    steps = len(plan.steps)
    return Run(
        ratio=(found.ended_s - found.begun_s) / floor,
        whole=found.makespan_s / floor,
        transitions=found.transitions / steps,
        invocations=found.invocations / steps,
        parked=len(found.parked),
    )


def _definitions(compiled: Compiled) -> list[bytes]:
    return [compiled.definition, *(part.definition for part in compiled.parts)]


def _compact(definition: bytes) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(substitute(definition, FUNCTION_ARN)))


def _depth(machine: Machine) -> int:
    """Parallels and Maps inside each other."""
    deepest = 0
    todo: list[tuple[dict[str, State], int]] = [(machine.states, 0)]
    while todo:
        states, above = todo.pop()
        deepest = max(deepest, above)
        for state in states.values():
            if isinstance(state, Parallel):
                todo.extend((branch.states, above + 1) for branch in state.branches)
            elif isinstance(state, Map):
                todo.append((state.item_processor.states, above + 1))
    return deepest


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(msgspec.json.encode(compile_seconds(drawn_graph(sys.argv[1], int(sys.argv[2])))).decode())
    else:
        print(msgspec.json.encode(figures(read_graph(Path(sys.argv[1])))).decode())
