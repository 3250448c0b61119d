"""``solidstate``: the one place where a command is chosen, and where an error becomes text and an exit code.

Commands are imported when they are chosen, so that ``--help`` and mistyped commands answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from solidstate import __version__
from solidstate.cli.arguments import parse
from solidstate.cli.exit_codes import BROKEN_PIPE, FAILED, INTERRUPTED, SUCCESS, WRONG_INPUT
from solidstate.cli.parsing import UsageError
from solidstate.cli.terminal import Terminal, private_stdout
from solidstate.cli.text import line
from solidstate.errors import EngineError, SolidstateError, StorageError, short
from solidstate.redaction import redact

Command = Callable[[argparse.Namespace, Terminal], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Errors are text on stderr, and JSON on stdout with ``--json``."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        with private_stdout() as terminal:
            return _guarded(arguments, terminal)
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        _discard_stdout()
        return BROKEN_PIPE


def _guarded(arguments: list[str], terminal: Terminal) -> int:
    debug = "--debug" in arguments
    try:
        _check_text(arguments)
        namespace = _parse(arguments, terminal)
        if namespace is None:
            return SUCCESS
        return COMMANDS[namespace.command](namespace, terminal)
    except KeyboardInterrupt:
        terminal.err.write("\nstopped\n")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever went wrong is said in words
        return _report(error, terminal, debug=debug, as_json="--json" in arguments)


def _check_text(arguments: list[str]) -> None:
    """No file name and no name of anything holds what is refused here, and nobody further down expects it."""
    for argument in arguments:
        try:
            if "\0" not in argument:
                os.fsencode(argument)
                continue
        except UnicodeEncodeError:
            pass
        raise UsageError(f"`{short(argument)}` holds a character that no argument can have.", hint="remove it")


def _parse(arguments: list[str], terminal: Terminal) -> argparse.Namespace | None:
    """The parsed command line; None when it asked for help, which was given."""
    previous, sys.stdout = sys.stdout, terminal.out  # argparse prints help to the stdout of the moment
    try:
        return parse(arguments, __version__)
    except SystemExit:
        return None
    finally:
        sys.stdout = previous


def _report(error: Exception, terminal: Terminal, *, debug: bool, as_json: bool) -> int:
    from solidstate.cli.render_errors import error_document, error_lines

    if debug:
        import traceback

        text = redact("".join(traceback.format_exception(error)))  # messages in it may hold anything
        terminal.note([line(one) for one in text.splitlines()])
    if not isinstance(error, SolidstateError):
        code, known = (
            FAILED,
            SolidstateError(
                f"solidstate broke down: {type(error).__name__}: {error}.",
                hint="run the same command with `--debug`, and report what it prints",
            ),
        )
    else:
        code, known = exit_code(error), error
    if as_json:
        terminal.show_bytes(error_document(known, code))
    usage = known.usage if isinstance(known, UsageError) else ""
    terminal.note(error_lines(known, usage))
    return code


def exit_code(error: SolidstateError) -> int:
    """1 when the surroundings failed (engine, storage), 2 when what the user wrote or asked for is wrong."""
    return FAILED if isinstance(error, (EngineError, StorageError)) else WRONG_INPUT


def _discard_stdout() -> None:
    """Let the interpreter's last flush of stdout go nowhere (Python documentation, "Note on SIGPIPE")."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is no descriptor
        pass


def _new(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.new_command import new

    return new(arguments, terminal)


def _list(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.inspect_commands import list_pipelines

    return list_pipelines(arguments, terminal)


def _check(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.inspect_commands import check

    return check(arguments, terminal)


def _plan(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.plan_command import plan

    return plan(arguments, terminal)


def _compile(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.inspect_commands import compile_definition

    return compile_definition(arguments, terminal)


def _template(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.template_command import template

    return template(arguments, terminal)


def _build(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.build_command import build

    return build(arguments, terminal)


def _config_scaffold(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.config_commands import scaffold

    return scaffold(arguments, terminal)


def _config_check(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.config_commands import check

    return check(arguments, terminal)


def _config_schema(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.config_commands import schema

    return schema(arguments, terminal)


def _run(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.run_command import run

    return run(arguments, terminal)


def _start(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.start_command import start

    return start(arguments, terminal)


def _cancel(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.cancel_command import cancel

    return cancel(arguments, terminal)


def _runs(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.history_commands import runs

    return runs(arguments, terminal)


def _show(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.history_commands import show

    return show(arguments, terminal)


def _events(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.history_commands import events

    return events(arguments, terminal)


def _reconcile(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.reconcile_command import reconcile

    return reconcile(arguments, terminal)


def _gc(arguments: argparse.Namespace, terminal: Terminal) -> int:
    from solidstate.cli.gc_command import gc

    return gc(arguments, terminal)


COMMANDS: dict[str, Command] = {
    "new": _new,
    "list": _list,
    "check": _check,
    "config scaffold": _config_scaffold,
    "config check": _config_check,
    "config schema": _config_schema,
    "plan": _plan,
    "compile": _compile,
    "template": _template,
    "build": _build,
    "run": _run,
    "start": _start,
    "cancel": _cancel,
    "runs": _runs,
    "show": _show,
    "events": _events,
    "reconcile": _reconcile,
    "gc": _gc,
}


if __name__ == "__main__":
    sys.exit(main())
