"""The parser of commands: argparse, with mistakes told in our words, and types for what is typed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from solidstate.errors import SolidstateError, closest


class UsageError(SolidstateError):
    """The command line itself is wrong. ``usage`` is the line that says how it goes."""

    def __init__(self, problem: str, *, usage: str = "", hint: str = "") -> None:
        super().__init__(problem, hint=hint)
        self.usage = usage


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print and exit, and remembers its options for close matches."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)
        self.options: list[str] = ["--help"]
        self.wanted = ""

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith("?") else "."
        raise self.refusal(f"{message[:1].upper()}{message[1:]}{end}", f"`{self.prog} --help` says more")

    def refusal(self, problem: str, hint: str) -> UsageError:
        return UsageError(problem, usage=f"usage: {self.prog} {self.wanted}", hint=hint)

    def expect(self, wanted: str) -> None:
        """What follows the command in its usage line; the options have a list of their own below it."""
        self.wanted = wanted
        self.usage = f"%(prog)s {wanted}"

    def option(self, *flags: str, **kwargs: Any) -> None:
        self.options += [flag for flag in flags if flag.startswith("--")]
        self.add_argument(*flags, **kwargs)


def json_option(parser: Parser, what: str = "print JSON, and nothing else, on stdout") -> None:
    """That a program reads it."""
    parser.option("--json", action="store_true", help=what)


def home_option(parser: Parser) -> None:
    """Where the runs of this machine are."""
    parser.option("--home", metavar="DIR", help="where local runs are kept (default: $SOLIDSTATE_HOME, or .solidstate)")


def one_of(*choices: str) -> Callable[[str], str]:
    """A type for argparse: one of ``choices``, with a close match for what is none."""

    def check(text: str) -> str:
        if text in choices:
            return text
        near = closest(text, choices)
        way_out = f"did you mean `{near}`?" if near else f"known: {', '.join(f'`{choice}`' for choice in choices)}"
        raise argparse.ArgumentTypeError(f"there is no `{text}`; {way_out}")

    return check


def natural(text: str) -> int:
    """A type for argparse: a whole number, 1 or more."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got `{text}`")
    return int(text)


_UNITS = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


def age(text: str) -> float:
    """A type for argparse: a time such as ``30d``, ``12h`` or ``4w``, in seconds."""
    number, unit = text[:-1], text[-1:]
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 6 and int(number) > 0 and unit in _UNITS):
        raise argparse.ArgumentTypeError(f"expected a time such as `30d`, `12h` or `4w`, got `{text}`")
    return float(int(number) * _UNITS[unit])
