"""The arguments of the commands that are about runs on record. Which commands there are stands in ``arguments``."""

from __future__ import annotations

from solidstate.cli.choices import KINDS, LEVELS
from solidstate.cli.deployed_arguments import where
from solidstate.cli.parsing import Parser, age, home_option, json_option, natural, one_of


def runs(parser: Parser) -> None:
    parser.option("--pipeline", metavar="P", help="runs of this pipeline only")
    parser.option("--limit", type=natural, default=20, metavar="N", help="at most this many, newest first (default 20)")
    home_option(parser)
    where(parser, asked=True)
    json_option(parser)


def _one_run(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run id, the beginning of one, or `last`")
    home_option(parser)
    where(parser, asked=True)


def show(parser: Parser) -> None:
    _one_run(parser)
    json_option(parser)


def events(parser: Parser) -> None:
    _one_run(parser)
    parser.option("--step", metavar="S", help="events of this step only")
    parser.option("--kind", type=one_of(*KINDS), metavar="K", help=f"events of this kind only: {', '.join(KINDS)}")
    parser.option("--level", type=one_of(*LEVELS), metavar="L", help="log lines of this level or above only")
    parser.option("--follow", action="store_true", help="go on with what comes, until the run has ended")
    json_option(parser, "print NDJSON: one event a line, as stored")


def reconcile(parser: Parser) -> None:
    parser.add_argument(
        "run", metavar="RUN", nargs="?", default="", help="a run id, or the beginning of one (default: all runs)"
    )
    parser.option("--pipeline", metavar="P", help="runs of this pipeline only")
    parser.option("--dry-run", action="store_true", help="say what is missing, and write nothing")
    home_option(parser)
    where(parser, asked=True)
    json_option(parser)


def gc(parser: Parser) -> None:
    parser.option("--pipeline", metavar="P", help="runs of this pipeline only")
    parser.option("--older-than", type=age, metavar="AGE", help="whole runs, too, that ended so long ago: `30d`, `12h`")
    parser.option("--delete", action="store_true", help="remove what is found, instead of listing it alone")
    home_option(parser)
    where(parser, asked=True)
    json_option(parser)


def cancel(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run id, the beginning of one, or `last`")
    where(parser, asked=False)
    parser.option("--reason", metavar="TEXT", help="why, for the record")
    json_option(parser)
