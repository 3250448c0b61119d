"""Log lines through Powertools: JSON, each with run, step and attempt, safe for steps running in threads."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable
from typing import Any, TextIO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from solidstate.handler.context import Level, LogSink
from solidstate.redaction import redact, redacted

_LEVELS: dict[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
_ORDER = ["level", "timestamp", "run", "step", "attempt", "message"]
_numbers = itertools.count(1)


def _one_line(serialize: Callable[[Any], str]) -> Callable[[Any], str]:
    """JSON in which all that is not printable is escaped: some readers end a line at ``U+2028``, terminals obey
    ``U+009B``, and half a surrogate pair could not be written at all."""

    def line(log: Any) -> str:
        text = serialize(log)
        if text.isprintable():
            return text
        return "".join(char if char.isprintable() else _escape(char) for char in text)

    return line


def _escape(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"


class StepLogger:
    """Makes the log sink of each attempt. Without a ``stream`` lines go to stdout, which Lambda sends to CloudWatch, at
    the level POWERTOOLS_LOG_LEVEL says (INFO); with one, everything goes there."""

    def __init__(self, service: str, stream: TextIO | None = None) -> None:
        formatter = LambdaPowertoolsFormatter(utc=True, log_record_order=_ORDER, location=None)
        formatter.json_serializer = _one_line(formatter.json_serializer)
        # Powertools configures one logger a service name for the life of the process, so a local run, which has a
        # stream of its own, takes a name of its own and gives it back.
        name = service if stream is None else f"{service}.{next(_numbers)}"
        level = None if stream is None else logging.DEBUG
        logger = Logger(service=name, level=level, stream=stream, logger_formatter=formatter)
        logger.append_keys(service=service)
        self._handlers = list(logging.getLogger(name).handlers) if stream is not None else []
        self._lines = logging.getLogger(name)  # the one that Powertools has set up
        if stream is not None:
            self._lines.propagate = False  # also to a handler that user code gives the root logger later

    def sink(self, fields: dict[str, Any]) -> LogSink:
        """``fields`` (run, step, attempt) are on every line; they are passed with each call, since several attempts
        may share this process."""

        def write(level: Level, message: str, facts: dict[str, Any]) -> None:
            extra = {**fields, "facts": redacted(facts)} if facts else fields
            self._lines.log(_LEVELS[level], redact(message), extra=extra)

        return write

    def close(self) -> None:
        """Forget the stream; a step that outlives its run then logs into nothing instead of into a closed file."""
        logger = self._lines
        for handler in self._handlers:
            logger.removeHandler(handler)
        if self._handlers:
            logger.addHandler(logging.NullHandler())
            logger.propagate = False
