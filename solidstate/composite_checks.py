"""What a composite's annotations promise, held against the solids at both ends when a pipeline is built.

A composite does not run, so nothing checks them later; what runs are the solids, with types of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from solidstate.composites import CompositePort, CompositeUse
from solidstate.composition import Binding, Node
from solidstate.errors import DefinitionError
from solidstate.type_conflicts import conflict


def composite_problems(
    pipeline: str, nodes: Sequence[Node], composites: Sequence[CompositeUse]
) -> Iterator[DefinitionError]:
    """Provable conflicts between the types of composites and those of what is connected to them or inside."""
    by_name = {node.name: node for node in nodes}
    for use in composites:
        for port in use.definition.inputs:
            yield from _input_problems(pipeline, use, port, by_name)
        for port in use.definition.outputs:
            yield from _output_problems(pipeline, use, port, by_name)


def _input_problems(
    pipeline: str, use: CompositeUse, port: CompositePort, by_name: Mapping[str, Node]
) -> Iterator[DefinitionError]:
    told: set[str] = set()
    for target in use.inputs.get(port.name, ()):
        node = by_name.get(target.node)
        binding = node.bindings.get(target.output) if node is not None else None
        if node is None or binding is None or not _single(binding):
            continue  # a composite's inputs are looked at where they lead; of a list it cannot be told who made it
        wanted = node.solid.input(target.output)
        source = binding.sources[0]
        out = by_name[source.node].solid.output(source.output)
        if not (out.type.nothing or port.type.nothing) and conflict(out.type.annotation, port.type.annotation):
            problem = f"Output `{source.output}` of `{source.node}` is `{out.type.name}`, but input `{port.name}` of "
            problem += f"composite `{use.name}` expects `{port.type.name}`"
            if problem not in told:
                told.add(problem)
                yield _problem(pipeline, use, port, problem)
        if not (wanted.type.nothing or port.type.nothing) and conflict(port.type.annotation, wanted.type.annotation):
            problem = f"Input `{port.name}` of composite `{use.name}` is `{port.type.name}`, but input "
            problem += f"`{wanted.name}` of `{node.name}` inside expects `{wanted.type.name}`"
            yield _problem(pipeline, use, port, problem)


def _single(binding: Binding) -> bool:
    return len(binding.sources) == 1 and not binding.fan_in and not binding.collect


def _output_problems(
    pipeline: str, use: CompositeUse, port: CompositePort, by_name: Mapping[str, Node]
) -> Iterator[DefinitionError]:
    source = use.outputs.get(port.name)
    node = by_name.get(source.node) if source is not None else None
    if source is None or node is None:
        return
    out = node.solid.output(source.output)
    listed = port.name in use.collected
    if out.type.nothing or port.type.nothing or (not listed and (out.dynamic or node.map_over is not None)):
        return  # one value or all of them: an annotation can mean either
    produced: Any = list[out.type.annotation] if listed else out.type.annotation  # type: ignore[name-defined]  # made of a value
    if conflict(produced, port.type.annotation):
        problem = f"Output `{source.output}` of `{node.name}` is `{out.type.name}`{' (in a list)' if listed else ''}, "
        problem += f"but composite `{use.name}` declares its output `{port.name}` as `{port.type.name}`"
        yield _problem(pipeline, use, port, problem)


def _problem(pipeline: str, use: CompositeUse, port: CompositePort, problem: str) -> DefinitionError:
    return DefinitionError(
        f"{problem}, and no value is both.",
        subject=use.name,
        path=f"{pipeline}.{use.name}.{port.name}",
        hint="correct one of the annotations",
    )
