"""The options that make up a run request: the same for a run on this machine and for one that is started on AWS."""

from __future__ import annotations

from typing import Any, Protocol

from solidstate.cli.documents import Source, overlay, tags_from
from solidstate.documents import merge
from solidstate.errors import SolidstateError


class RequestOptions(Protocol):
    """What was typed, by name of the option; ``assignments`` are those of ``--set``."""

    @property
    def assignments(self) -> list[str]: ...
    @property
    def mode(self) -> str | None: ...
    @property
    def preset(self) -> str | None: ...
    @property
    def steps(self) -> str | None: ...
    @property
    def from_run(self) -> str | None: ...
    @property
    def tags(self) -> list[str]: ...


def request_document(options: RequestOptions, source: Source | None) -> Any:
    """The run request: the file, over it ``--set``, over that the options that have a name of their own. A file that
    holds no mapping is given back as it is: nothing can be laid over it, and the request is not valid."""
    below = source.parse() if source is not None else {}
    if not isinstance(below, dict):
        return below
    document = overlay(below, options.assignments)
    named = {"mode": options.mode, "preset": options.preset, "steps": options.steps, "from_run": options.from_run}
    document.update({key: value for key, value in named.items() if value is not None})
    tags = tags_from(options.tags)
    if tags:
        given = document.get("tags")
        document["tags"] = {**given, **tags} if isinstance(given, dict) else tags
    return document


def over_failed(failed: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """``document`` over the request that starts again from a failure. Raises SolidstateError where both say what is to
    be run."""
    taken = [key for key in ("steps", "from_run") if document.get(key) is not None]
    if taken:
        raise SolidstateError(
            f"`--from-failure` chooses {' and '.join(f'`{key}`' for key in taken)} itself.",
            subject="--from-failure",
            hint="leave the one or the other out",
        )
    return merge(failed, document)  # type: ignore[no-any-return]  # two mappings merge to one
