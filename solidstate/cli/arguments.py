"""What can be typed: every command with its arguments, and what is said when the typing went wrong.

argparse does the parsing; what it says about mistakes differs between Python versions and knows no close matches, so
unknown commands, options and choices are judged here. Nothing heavy is imported: ``--help`` must be instant.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import NoReturn

from solidstate.cli.choices import ARCHITECTURES, ENGINES, FUNCTIONS, RUNTIMES
from solidstate.cli.deployed_arguments import follow, where
from solidstate.cli.history_arguments import cancel, events, gc, reconcile, runs, show
from solidstate.cli.parsing import Parser, one_of
from solidstate.cli.parsing import home_option as _home
from solidstate.cli.parsing import json_option as _json
from solidstate.errors import closest

TARGET_HELP = "`package.module:pipeline` or `path/to/file.py:pipeline`; the name may be left out when there is only one"
_DEBUG = "show Python tracebacks with errors"


def _common(parser: Parser) -> None:
    # Without a default here, so that `solidstate --debug COMMAND` keeps what the top parser found.
    parser.option("--debug", action="store_true", default=argparse.SUPPRESS, help=_DEBUG)


def _target(parser: Parser) -> None:
    parser.add_argument("target", metavar="TARGET", help=TARGET_HELP)


def _durations(parser: Parser) -> None:
    parser.option(
        "--durations",
        metavar="RUN",
        help="with the times that a run has measured: an id or the beginning of one, `last`, or `last:N` for the "
        "medians of the newest N",
    )
    _home(parser)


def _list(parser: Parser) -> None:
    parser.add_argument("target", metavar="TARGET", help="a module or file, with or without `:pipeline`")
    _json(parser)


def _check(parser: Parser) -> None:
    parser.add_argument("target", metavar="TARGET", help="a pipeline, or a module to check all of its pipelines")
    _json(parser)


def _plan(parser: Parser) -> None:
    _target(parser)
    parser.option(
        "--explain", action="store_true", help="what each step waits for and why; what a run takes, uses and costs"
    )
    parser.option("--svg", metavar="FILE", help="draw the plan; `-` for standard output")
    _durations(parser)
    _json(parser)


def _compile(parser: Parser) -> None:
    _target(parser)
    parser.option("-o", "--output", metavar="FILE", help="write to a file instead of stdout")
    parser.option("--function-arn", metavar="ARN", help="the Lambda function to call, instead of a placeholder")
    _durations(parser)
    _json(parser, "errors as JSON, too; the definition always is")


def _new(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a folder that is new or empty; the project is called like it")
    parser.option(
        "--runtime", type=one_of(*RUNTIMES), metavar="R", help="the Lambda runtime (default: this interpreter's)"
    )
    parser.option(
        "--arch", type=one_of(*ARCHITECTURES), default="x86_64", metavar="A", help="x86_64 (default) or arm64"
    )
    _json(parser)


def _template(parser: Parser) -> None:
    parser.add_argument(
        "targets", metavar="TARGET", nargs="*", help=f"{TARGET_HELP}; may be left out when the template is there"
    )
    parser.option(
        "-o",
        "--output",
        metavar="FILE",
        default="template.yaml",
        help="the template (default: template.yaml); `-` for stdout",
    )
    parser.option(
        "--check",
        action="store_true",
        help="change nothing; fail when rendering would change the template, or it is unsafe",
    )
    parser.option(
        "--runtime",
        type=one_of(*RUNTIMES),
        metavar="R",
        help="for a new template: the Lambda runtime (default: python3.12)",
    )
    parser.option(
        "--arch", type=one_of(*ARCHITECTURES), metavar="A", help="for a new template: x86_64 (default) or arm64"
    )
    _json(parser)


def _build(parser: Parser) -> None:
    parser.add_argument(
        "targets", metavar="TARGET", nargs="+", help=f"{TARGET_HELP}; without a name all of the module's pipelines"
    )
    parser.option(
        "--runtime", metavar="R", help=f"the Lambda runtime: {', '.join(RUNTIMES)} (default: template.yaml's)"
    )
    parser.option("--arch", metavar="A", help="x86_64 (default) or arm64")
    parser.option(
        "--requirements", metavar="FILE", help="the packages to ship (default: requirements.txt, or pyproject)"
    )
    parser.option(
        "--layer-provided",
        action="append",
        default=[],
        metavar="NAME",
        help="a package that a layer brings, with what only it needs; commas and repeats allowed",
    )
    parser.option(
        "--include", action="append", default=[], metavar="PATTERN", help="ship these files beside the code too"
    )
    parser.option(
        "--exclude", action="append", default=[], metavar="PATTERN", help="do not ship these files of the code"
    )
    parser.option("--boto3", action="store_true", help="ship boto3, although the Lambda runtime has one")
    parser.option("--newest", action="store_true", help="the newest versions, not those installed here")
    parser.option(
        "-o", "--output", metavar="DIR", help="where lambda/ and machines/ are put (default: build)", default="build"
    )
    parser.option("--into", metavar="DIR", help="put the bundle alone here, for a makefile of `sam build`")
    parser.option("--zip", metavar="FILE", help="also write the bundle as a zip")
    _json(parser)


def _schema(parser: Parser) -> None:
    _target(parser)
    _json(parser, "errors as JSON, too; the schema always is")


def _scaffold(parser: Parser) -> None:
    _target(parser)
    parser.option("--mode", metavar="M", help="the mode to write it for (default: the first)")
    parser.option("--full", action="store_true", help="optional fields too: commented out in YAML, defaults in JSON")
    _json(parser, "JSON instead of YAML")


def _config_check(parser: Parser) -> None:
    _target(parser)
    parser.add_argument("file", metavar="FILE", help="a YAML or JSON file, `-` for standard input")
    _json(parser, "print the request with its preset merged in, as JSON")


def _run(parser: Parser) -> None:
    _target(parser)
    parser.option(
        "--engine",
        type=one_of(*ENGINES),
        default="moto",
        metavar="{moto,inline}",
        help="moto (default): the real state machine and handler on a local stand-in for AWS; "
        "inline: one process without AWS",
    )
    parser.option(
        "--lambda",
        type=one_of(*FUNCTIONS),
        default=FUNCTIONS[0],
        dest="functions",
        metavar="{in-process,runtime}",
        help="how the moto engine runs functions: in-process (default), or runtime: the built bundle, in processes of "
        "AWS's own runtime client, with time and memory limits",
    )
    parser.option("--bundle", metavar="DIR", help="with `--lambda runtime`: a built bundle (default: one is built)")
    _request(parser)
    parser.option("--run-id", metavar="ID", help="a name of your own for the run")
    parser.option(
        "--enforce-iam",
        action="store_true",
        help="on moto: let steps do what solids and resources declare as `permissions`, and nothing else",
    )
    _home(parser)
    _json(parser)


def _start(parser: Parser) -> None:
    parser.add_argument(
        "target", metavar="TARGET", nargs="?", help=f"{TARGET_HELP}; given, the request is validated here first"
    )
    where(parser, asked=False)
    parser.option("--pipeline", metavar="P", help="the pipeline, where the stack has several and no TARGET is given")
    _request(parser)
    parser.option("--name", metavar="NAME", help="a name of your own for the execution")
    follow(parser)
    _json(parser)


def _request(parser: Parser) -> None:
    parser.option("--config", metavar="FILE", help="the run request, YAML or JSON; `-` for standard input")
    parser.option(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        dest="assignments",
        help="set one field of the run request, as in `solids.read.config.limit=100`; VALUE is JSON, or text; "
        "may be repeated",
    )
    parser.option("--mode", metavar="M", help="the mode to run in")
    parser.option("--preset", metavar="P", help="the preset to start from")
    parser.option(
        "--steps", metavar="SEL", help="run a part: `name`, `name*`, `*name`, `name+1`, `tag:k=v`, comma separated"
    )
    parser.option("--from-run", metavar="RUN", help="take what is not selected from this run (`last`: the newest)")
    parser.option("--from-failure", metavar="RUN", help="run again what has no result in this run (`last`: the newest)")
    parser.option("--tag", action="append", default=[], metavar="K=V", dest="tags", help="tag the run; may be repeated")


Adder = Callable[[Parser], None]

COMMANDS: dict[str, tuple[str, Adder | None]] = {
    "new": ("a project to start from", _new),
    "list": ("the pipelines of a module", _list),
    "check": ("definitions, state machine and quotas, before anything runs", _check),
    "config": ("write, validate and describe run requests", None),
    "plan": ("the steps, what feeds them, what they wait for", _plan),
    "compile": ("the Step Functions definition", _compile),
    "template": ("the SAM template that deploys pipelines", _template),
    "build": ("the Lambda bundle, with all that the function needs", _build),
    "run": ("run a pipeline on this machine", _run),
    "start": ("start a deployed pipeline and watch it", _start),
    "cancel": ("stop a run of a deployed pipeline", cancel),
    "runs": ("the runs on record, newest first", runs),
    "show": ("one run: steps, failures, what it produced", show),
    "events": ("everything one run has recorded", events),
    "reconcile": ("put on record how runs ended that could not say it themselves", reconcile),
    "gc": ("what runs have left that is of no use any more", gc),
}
CONFIG_COMMANDS: dict[str, tuple[str, Adder]] = {
    "scaffold": ("a run request to start from", _scaffold),
    "check": ("validate a run request", _config_check),
    "schema": ("the JSON Schema of the run request, for editors", _schema),
}
_POSITIONAL = {
    "build": "TARGET ... ",
    "new": "DIR ",
    "config check": "TARGET FILE ",
    "template": "[TARGET ...] ",
    "start": "[TARGET] ",
    "reconcile": "[RUN] ",
    "runs": "",
    "gc": "",
    **dict.fromkeys(("cancel", "show", "events"), "RUN "),
}
"""What stands in a usage line before the options, where that is not one TARGET."""
_EXAMPLES = """\
examples:
  solidstate run flights.py:delays --preset sample
  solidstate run flights.py:delays --set solids.read.config.limit=100 --engine inline
  solidstate show last
  solidstate start --stack flights-prod --preset nightly

exit codes: 0 success, 1 the run or check failed, 2 the input was wrong, 130 stopped by Ctrl-C
"""


def parse(argv: Sequence[str], version: str) -> argparse.Namespace:
    """The parsed command line; ``command`` is the full name, such as ``config check``. Raises UsageError, and
    SystemExit for ``--help`` and ``--version``, which are printed."""
    top = Parser(prog="solidstate", description="Typed pipelines on Step Functions and Lambda.", epilog=_EXAMPLES)
    top.expect("COMMAND ...")
    top.option("--debug", action="store_true", help=_DEBUG)
    top.add_argument("--version", action="version", version=f"solidstate {version}")
    parsers: dict[str, Parser] = {}
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True, prog="solidstate")
    for name, (text, add) in COMMANDS.items():
        parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if add is not None:
            parsers[name] = _filled(parser, name, add)
            continue
        parser.expect("COMMAND ...")
        inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, prog=parser.prog)
        for part, (part_text, part_add) in CONFIG_COMMANDS.items():
            full = f"{name} {part}"
            child = inner.add_parser(part, help=part_text, description=f"{part_text[0].upper()}{part_text[1:]}.")
            parsers[full] = _filled(child, full, part_add)
    _check_command(argv, top, parsers)
    namespace, surplus = top.parse_known_args(argv)
    if surplus:
        _refuse(surplus, parsers[namespace.command])
    return namespace


def _filled(parser: Parser, name: str, add: Adder) -> Parser:
    add(parser)
    _common(parser)
    parser.expect(f"{_POSITIONAL.get(name, 'TARGET ')}[options]")
    parser.set_defaults(command=name)
    return parser


def _check_command(argv: Sequence[str], top: Parser, parsers: dict[str, Parser]) -> None:
    """Judge the command's name before argparse does."""
    words = [text for text in argv if not text.startswith("-")]
    _check_order(argv, words, top, parsers)
    if words:
        _known(words[0], list(COMMANDS), "command", top)
    if words[:1] == ["config"] and len(words) > 1:
        _known(words[1], list(CONFIG_COMMANDS), "command of `solidstate config`", top)


def _check_order(argv: Sequence[str], words: list[str], top: Parser, parsers: dict[str, Parser]) -> None:
    """Refuse an option of a command that stands before it: argparse takes its value for the command."""
    for text in takewhile(lambda text: text.startswith("-"), argv):
        flag = text.partition("=")[0]
        if flag in top.options or not any(flag in parser.options for parser in parsers.values()):
            continue
        command = next((word for word in words if word in COMMANDS), "COMMAND")
        inner = next((word for word in words if word in CONFIG_COMMANDS), "COMMAND") if command == "config" else ""
        whole = f"{command} {inner}".strip()
        raise top.refusal(
            f"`{flag}` stands before the command, but is an option of one.",
            f"write `solidstate {whole} ... {flag}`" if command != "runs" else f"write `solidstate runs {flag}`",
        )


def _known(name: str, names: list[str], what: str, parser: Parser) -> None:
    if name not in names:
        near = closest(name, names)
        hint = f"did you mean `{near}`?" if near else f"choose one: {', '.join(f'`{n}`' for n in names)}"
        raise parser.refusal(f"`{name}` is no {what}.", hint)


def _refuse(surplus: list[str], parser: Parser) -> NoReturn:
    for text in surplus:
        if text.startswith("-"):
            flag = text.partition("=")[0]
            near = closest(flag, parser.options)
            hint = f"did you mean `{near}`?" if near else f"`{parser.prog} --help` lists them"
            raise parser.refusal(f"`{parser.prog}` has no option `{flag}`.", hint)
    raise parser.refusal(f"`{surplus[0]}` is one argument too many.", f"`{parser.prog} --help` says what it takes")
