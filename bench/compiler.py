"""``make bench-compiler``: what the compiler makes of a folder of graphs, beside a barrier per level in the same run.

Markdown for docs/compiler.md. The sets (see :mod:`bench.graphs`) are looked for in ``--sets`` or in the folder that the
variable SOLIDSTATE_GRAPHS names; without any, only the growth of generated graphs is measured. Each graph has a process
of its own.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from bench.compiled_graph import SIGMA, Figures, Run
from bench.graphs import FAMILIES

SMALL, LARGE = 1_000, 10_000
LARGE_ENOUGH = 20
"""Of sets with fewer steps the states every machine has would outweigh everything else."""
Column = tuple[str, Callable[[list[Figures]], str]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.compiler", description="Tables about the compiler, as Markdown.")
    parser.add_argument("--sets", type=Path, default=os.environ.get("SOLIDSTATE_GRAPHS"), help="folder of graphs")
    parser.add_argument("--out", type=Path, help="file to write to, instead of standard output")
    parser.add_argument("--no-growth", action="store_true", help="leave the generated graphs out")
    asked = parser.parse_args()
    chapters: list[str] = []
    files = sorted(asked.sets.glob("*.json")) if asked.sets and asked.sets.is_dir() else []
    if files:
        found = [_measured(file) for file in _counted(files)]
        chapters += [totals(found), families(found), misjudgement(found), graphs(found)]
    else:
        _say("No graphs: name a folder with --sets or SOLIDSTATE_GRAPHS. Going on with generated ones.")
    if not asked.no_growth:
        chapters.append(growth())
    text = "\n\n".join(chapters) + "\n"
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    else:
        print(text)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _counted(files: list[Path]) -> Iterable[Path]:
    for number, file in enumerate(files, 1):
        _say(f"{number}/{len(files)} {file.stem}")
        yield file


def _process(*arguments: str) -> bytes:
    command = [sys.executable, "-m", "bench.compiled_graph", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"`{' '.join(command[1:])}` failed:\n{done.stderr.decode()}")
    return done.stdout


def _measured(file: Path) -> Figures:
    return msgspec.json.decode(_process(str(file)), type=Figures)


def mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else math.nan


def _ratios(values: Iterable[float]) -> str:
    found = list(values)
    return f"{mean(found):.3f} / {max(found):.3f}"


def _larger(found: list[Figures]) -> list[Figures]:
    return [one for one in found if one.steps >= LARGE_ENOUGH]


def _per_step(of: Callable[[Figures], float], found: list[Figures]) -> str:
    larger = _larger(found)
    return f"{mean(of(one) for one in larger):.3f}" if larger else "-"


def table(columns: list[Column], rows: Iterable[list[Figures]]) -> str:
    lines = ["| " + " | ".join(title for title, _ in columns) + " |", "|---" * len(columns) + "|"]
    lines += ["| " + " | ".join(cell(row) for _, cell in columns) + " |" for row in rows]
    return "\n".join(lines)


def totals(found: list[Figures]) -> str:
    """One line for each way of compiling, over all graphs."""
    ways = {
        "compiled, durations right": [one.right for one in found],
        "compiled, durations unknown": [one.unknown for one in found],
        f"compiled, durations wrong (log-normal, sigma {SIGMA})": [one.misjudged for one in found],
        "a barrier per level": [one.levels for one in found],
    }
    larger = {one.name for one in _larger(found)}
    lines = [
        f"| {len(found)} graphs | makespan / floor, mean / worst | whole execution / floor | within 1.02 "
        f"| transitions per step | invocations per step |",
        "|---|---|---|---|---|---|",
    ]
    for title, runs in ways.items():
        of_larger = [run for one, run in zip(found, runs, strict=True) if one.name in larger]
        within = sum(run.ratio <= 1.02 for run in runs)
        lines.append(
            f"| {title} | {_ratios(run.ratio for run in runs)} | {_ratios(run.whole for run in runs)} | {within} "
            f"| {mean(run.transitions for run in of_larger):.3f} | {mean(run.invocations for run in of_larger):.3f} |"
        )
    return "\n".join(lines)


def families(found: list[Figures]) -> str:
    """One line for each family."""
    by_family: dict[str, list[Figures]] = {}
    for one in found:
        by_family.setdefault(one.family, []).append(one)
    columns: list[Column] = [
        ("family", lambda row: row[0].family),
        ("graphs", lambda row: f"{len(row)}"),
        ("steps", lambda row: f"{min(one.steps for one in row):,}-{max(one.steps for one in row):,}"),
        ("levels: makespan / floor", lambda row: _ratios(one.levels.ratio for one in row)),
        ("makespan / floor", lambda row: _ratios(one.right.ratio for one in row)),
        ("levels: transitions per step", lambda row: _per_step(lambda one: one.levels.transitions, row)),
        ("transitions per step", lambda row: _per_step(lambda one: one.right.transitions, row)),
        ("invocations per step", lambda row: _per_step(lambda one: one.right.invocations, row)),
        ("KB per step", lambda row: _per_step(lambda one: one.kb_per_step, row)),
        ("machines", lambda row: f"{max(one.machines for one in row)}"),
        ("events at worst", lambda row: f"{max(one.events_worst for one in row):,}"),
        ("depth", lambda row: f"{max(one.depth for one in row)}"),
        ("compile s", lambda row: f"{max(one.seconds for one in row):.2f}"),
        ("peak MB", lambda row: f"{max(one.mb for one in row):.0f}"),
    ]
    return table(columns, [by_family[family] for family in sorted(by_family)])


def misjudgement(found: list[Figures]) -> str:
    """What estimates change, by family: never the makespan, only who parks."""
    by_family: dict[str, list[Figures]] = {}
    for one in found:
        by_family.setdefault(one.family, []).append(one)
    columns: list[Column] = [
        ("family", lambda row: row[0].family),
        ("unknown: makespan / floor", lambda row: _ratios(one.unknown.ratio for one in row)),
        ("transitions per step", lambda row: _per_step(lambda one: one.unknown.transitions, row)),
        ("parked", lambda row: f"{sum(one.unknown.parked for one in row):,}"),
        ("wrong: makespan / floor", lambda row: _ratios(one.misjudged.ratio for one in row)),
        ("transitions per step", lambda row: _per_step(lambda one: one.misjudged.transitions, row)),
        ("parked", lambda row: f"{sum(one.misjudged.parked for one in row):,}"),
        ("right: parked", lambda row: f"{sum(one.right.parked for one in row):,}"),
    ]
    return table(columns, [by_family[family] for family in sorted(by_family)])


def graphs(found: list[Figures]) -> str:
    """One line for each graph that is wide off the mean in some way, worst first."""
    worst = sorted(found, key=lambda one: -max(one.right.ratio, one.unknown.ratio, one.misjudged.ratio))[:8]
    large = sorted(found, key=lambda one: -one.steps)[:8]
    columns: list[Column] = [
        ("graph", lambda row: row[0].name),
        ("steps", lambda row: f"{row[0].steps:,}"),
        ("floor s", lambda row: f"{row[0].floor:.1f}"),
        ("levels / floor", lambda row: f"{row[0].levels.ratio:.3f}"),
        ("right, unknown, wrong / floor", lambda row: ", ".join(f"{run.ratio:.3f}" for run in _runs(row[0]))),
        ("transitions per step", lambda row: ", ".join(f"{run.transitions:.3f}" for run in _runs(row[0]))),
        ("machines", lambda row: f"{row[0].machines}"),
        ("largest KB", lambda row: f"{row[0].kb_largest:.0f}"),
        ("events at worst", lambda row: f"{row[0].events_worst:,}"),
        ("compile s", lambda row: f"{row[0].seconds:.2f}"),
    ]
    return table(columns, [[one] for one in dict.fromkeys([*large, *worst])])


def _runs(one: Figures) -> tuple[Run, ...]:
    return one.right, one.unknown, one.misjudged


def growth() -> str:
    """Compile time (CPU) of generated graphs, small and large, and how it grows."""
    lines = [
        f"| family | {SMALL:,} steps, s | {LARGE:,} steps, s | growth exponent | peak MB |",
        "|---|---|---|---|---|",
    ]
    for family in FAMILIES:
        _say(f"growth of {family}")
        (small, _), (large, mb) = (
            msgspec.json.decode(_process(family, str(size)), type=tuple[float, float]) for size in (SMALL, LARGE)
        )
        exponent = math.log(large / small, LARGE / SMALL)
        lines.append(f"| {family} | {small:.3f} | {large:.2f} | {exponent:.2f} | {mb:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
