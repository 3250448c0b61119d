"""The seeds that ever failed, and what they failed of: played again in every run of the tests."""

from __future__ import annotations

from pathlib import Path

KEPT = Path(__file__).parent / "kept_seeds.txt"


def kept_seeds() -> list[int]:
    """Each stands at the beginning of a line."""
    lines = KEPT.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]
