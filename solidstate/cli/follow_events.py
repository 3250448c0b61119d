"""``solidstate events --follow``: the events of a run as they come in, until it has ended."""

from __future__ import annotations

from collections.abc import Callable

from solidstate.cli.render_events import event_lines
from solidstate.cli.terminal import Terminal
from solidstate.events import AnyEvent, encode_events
from solidstate.infra.run_history import RunHistory
from solidstate.storage.records import RunSummary

MAX_STEP = 30
"""Columns that a step's name is given at most; a longer one moves its line to the right."""


def follow_events(
    history: RunHistory, run: RunSummary, wanted: Callable[[AnyEvent], bool], terminal: Terminal, *, as_json: bool
) -> None:
    """Each event once, as soon as it is known, and at the end what only the whole run tells."""
    told: set[tuple[str, str, int, int]] = set()
    column = min(MAX_STEP, max((len(name) for name in history.steps(run)), default=0))

    def tell(event: AnyEvent) -> None:
        identity = (event.step, event.item, event.attempt, event.seq)
        if identity in told or not wanted(event):
            return
        told.add(identity)
        if as_json:
            terminal.show_bytes(encode_events([event]))
        else:
            terminal.show(event_lines([event], width=terminal.width, column=column))

    history.follow(run, tell)
    for event in history.facts(history.find(run.run)).events:
        tell(event)
