"""Log lines: JSON, each with its run, step and attempt, also when steps run at the same time."""

from __future__ import annotations

import io
import json
import logging
import threading

from solidstate.handler.logs import StepLogger


def test_lines_of_concurrent_steps_do_not_mix() -> None:
    """Every line has the fields of the attempt that wrote it."""
    stream = io.StringIO()
    logger = StepLogger("solidstate", stream)

    def work(number: int) -> None:
        sink = logger.sink({"run": "r", "step": f"s{number}", "attempt": number})
        for _ in range(50):
            sink("info", f"from {number}", {"number": number})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logger.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 400
    for line in lines:
        number = line["facts"]["number"]
        assert (line["run"], line["step"], line["attempt"]) == ("r", f"s{number}", number)
        assert (line["message"], line["level"], line["service"]) == (f"from {number}", "INFO", "solidstate")


def test_one_message_is_one_line() -> None:
    """Line ends and escape codes cannot forge another."""
    stream = io.StringIO()
    logger = StepLogger("solidstate", stream)
    logger.sink({"run": "r", "step": "s", "attempt": 1})("warning", 'a\n{"level":"ERROR"}\x1b[2J', {})
    logger.close()
    (line,) = stream.getvalue().splitlines()
    assert "\x1b" not in line
    assert json.loads(line)["message"] == 'a\n{"level":"ERROR"}\x1b[2J'


def test_a_closed_logger_is_silent() -> None:
    """A step that outlives its run writes nowhere instead of into a closed file."""
    stream = io.StringIO()
    logger = StepLogger("solidstate", stream)
    sink = logger.sink({"run": "r", "step": "s", "attempt": 1})
    logger.close()
    stream.close()
    sink("error", "too late", {})


def test_two_runs_in_a_process_keep_apart() -> None:
    """Each line goes to the stream of its own run only."""
    streams = io.StringIO(), io.StringIO()
    loggers = [StepLogger("solidstate", stream) for stream in streams]
    for name, logger in zip("ab", loggers, strict=True):
        logger.sink({"run": name, "step": "s", "attempt": 1})("info", name, {})
    assert [[json.loads(line)["run"] for line in stream.getvalue().splitlines()] for stream in streams] == [
        ["a"],
        ["b"],
    ]
    for logger in loggers:
        logger.close()


def test_the_lines_of_a_local_run_go_to_no_other_handler() -> None:
    """Not even to one that the root logger gets while the run goes on."""
    stream, other = io.StringIO(), io.StringIO()
    logger = StepLogger("solidstate", stream)
    handler = logging.StreamHandler(other)
    logging.getLogger().addHandler(handler)
    try:
        logger.sink({"run": "r", "step": "s", "attempt": 1})("warning", "once", {})
    finally:
        logging.getLogger().removeHandler(handler)
        logger.close()
    assert (len(stream.getvalue().splitlines()), other.getvalue()) == (1, "")
