"""``make bench``: what solidstate costs, each figure beside a baseline written by hand and measured in the same run.

Every measure runs in processes of its own, alternating with its baseline, so that a drifting machine moves both. Quote
the ratios and the per-step figures; the absolute times belong to the machine they were taken on.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.cold.measure import Cold, cold

CASES = Path(__file__).parent / "cases"
ROUNDS = 5


def measure(case: str, *arguments: str) -> dict[str, float]:
    """Run one case in a fresh process; it prints one JSON object of figures."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-W", "ignore", str(CASES / f"{case}.py"), *arguments]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench case `{case}` failed:\n{done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def pairs(case: str, baseline: str, figure: str) -> tuple[list[float], list[float]]:
    """The figure of both, alternating, ``ROUNDS`` times after one warm-up each."""
    ours, theirs = [], []
    for number in range(ROUNDS + 1):
        one, other = measure(case)[figure], measure(baseline)[figure]
        if number:
            ours.append(one)
            theirs.append(other)
    return ours, theirs


def cold_pairs(
    case: Callable[[Cold], float], baseline: Callable[[Cold], float], *, tls: bool = False
) -> tuple[list[float], list[float]]:
    """CPU seconds of two kinds of fresh processes, alternating, after one warm-up each."""
    with tempfile.TemporaryDirectory() as folder, cold(Path(folder), tls=tls) as fresh:
        measured = [(case(fresh), baseline(fresh)) for _ in range(ROUNDS + 1)][1:]
    return [ours for ours, _ in measured], [theirs for _, theirs in measured]


def line(title: str, unit: str, scale: float, ours: list[float], theirs: list[float], baseline: str) -> str:
    mine, base = statistics.median(ours) * scale, statistics.median(theirs) * scale
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    low, high = min(ours) * scale, max(ours) * scale
    measured = f"{title:<34} {mine:10.2f} {unit:<3} ({low:.2f} to {high:.2f})"
    return f"{measured}   {base:10.2f} {unit:<3} {baseline:<44} {ratio:8.2f}x"


def main() -> None:
    print(f"medians of {ROUNDS} alternating runs, each a process of its own; (least to most)\n")
    chain = pairs("inline_chain", "plain_chain", "per_step_s")
    print(line("inline, a step of 1,000", "us", 1e6, *chain, "the same functions called by hand"), flush=True)
    request = pairs("request_1000", "request_1000_by_hand", "first_s")
    print(
        line("validate a request of 1,000 solids", "ms", 1e3, *request, "msgspec.convert: first error, no path"),
        flush=True,
    )
    for title, client, tls in (
        ("cold step, CPU", "obstore", False),
        ("cold step over TLS, CPU", "obstore", True),
        ("cold step through boto3, CPU", "boto3", False),
    ):
        measured = cold_pairs(partial(Cold.step, client=client), Cold.by_hand, tls=tls)
        print(line(title, "ms", 1e3, *measured, "hand-written boto3 handler, 1 GET 1 PUT"), flush=True)
    imports = cold_pairs(Cold.imports, Cold.boto3_client)
    print(line("import of the handler, CPU", "ms", 1e3, *imports, "import boto3, make a client"), flush=True)
    moto = pairs("moto_chain", "moto_by_hand", "per_step_s")
    print(line("moto, a step of 50", "ms", 1e3, *moto, "hand-written machine and handler, 1 GET 1 PUT"), flush=True)
    first = pairs("first_step_moto", "moto_start", "seconds")
    print(line("`run` to first step, moto", "s", 1, *first, "import moto and boto3, open a server"), flush=True)
    inline = pairs("first_step_inline", "python_start", "seconds")
    print(line("`run` to first step, inline", "s", 1, *inline, "python, import msgspec and powertools"), flush=True)


if __name__ == "__main__":
    main()
