"""The options that say where a deployed pipeline is. Which commands take them stands in ``arguments``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solidstate.cli.parsing import Parser


def where(parser: Parser, *, asked: bool) -> None:
    """``asked``: this machine is meant unless a place is named; else it is the stack that samconfig.toml names."""
    default = "" if asked else " (default: the one that samconfig.toml names)"
    parser.option("--stack", metavar="NAME", help=f"the CloudFormation stack{default}")
    parser.option("--machine", metavar="ARN", help="the state machine itself, instead of a stack")
    parser.option("--bucket", metavar="B", help="the data bucket (default: the one its function is told)")
    parser.option("--deployed", action="store_true", default=not asked, help="the stack that samconfig.toml names")
    parser.option("--config-env", metavar="ENV", help="this environment of samconfig.toml (default: `default`)")
    parser.option("--profile", metavar="P", help="the AWS profile")
    parser.option("--region", metavar="R", help="the AWS region")
    parser.option("--endpoint-url", metavar="URL", help="an endpoint that stands in for AWS")


def follow(parser: Parser) -> None:
    """Whether a command that starts something waits for its end."""
    parser.option(
        "--follow",
        action="store_true",
        default=True,
        help="watch the run until it ends (default); Ctrl-C stops watching, not the run",
    )
    parser.option("--no-follow", action="store_false", dest="follow", help="start it and return at once")
