"""A template as a file of two authors: marked parts are rendered, everything else is the user's and kept as it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from solidstate.errors import SolidstateError, name_list
from solidstate.infra.cloudformation_yaml import load_template
from solidstate.infra.skeleton_files import filled
from solidstate.infra.stack import Stack
from solidstate.infra.template_blocks import blocks_of

SECTIONS = ("Parameters", "Conditions", "Resources", "Outputs")
_BEGIN = "  # --- solidstate: {} are generated, changes here are lost ---"
_END = "  # --- solidstate: end of what is generated ---"
_MARK = re.compile(r"^[ \t]*# --- solidstate: (?:(\w+) are generated|(end))\b.*$")


class Options(msgspec.Struct, frozen=True):
    """For a template that is written for the first time; later these places are the user's."""

    runtime: str = "python3.12"
    architecture: str = "x86_64"


def new_template(stack: Stack, options: Options) -> str:
    """The text of a template that nobody has added to yet."""
    names = ", ".join(pipeline.name for pipeline in stack.pipelines)
    described = f"solidstate pipeline{'s' if len(stack.pipelines) > 1 else ''} {names}"
    blocks = {name: _marked(name, text) for name, text in blocks_of(stack).items()}
    return filled(
        "template.yaml",
        {"description": described, "runtime": options.runtime, "architecture": options.architecture, **blocks},
    )


def renewed_template(text: str, stack: Stack, path: str) -> str:
    """``text`` with its marked parts rendered anew. Raises SolidstateError when they are not all there, once each."""
    parts = _parts(text, path)
    own = load_template("".join(kept for section, kept in parts if not section), path)
    parameters: Any = own.get("Parameters") or {}
    blocks = blocks_of(stack, written_by_hand=set(parameters))
    return "".join(_marked(section, blocks[section]) + "\n" if section else kept for section, kept in parts)


def targets_in(text: str, path: str) -> list[str]:
    """The targets that a template was rendered for, in its order."""
    resources: Mapping[str, Any] = load_template(text, path).get("Resources") or {}
    found: dict[str, None] = {}
    for resource in resources.values():
        place: Any = resource
        for key in ("Properties", "Environment", "Variables", "SOLIDSTATE_PIPELINES"):
            place = place.get(key) if isinstance(place, dict) else None
        if isinstance(place, str):
            found |= dict.fromkeys(target.strip() for target in place.split(","))
    return list(found)


def difference(written: str, rendered: str, path: str) -> list[str]:
    """What `solidstate template` would change, as a unified diff; empty when nothing."""
    lines = difflib.unified_diff(
        written.splitlines(), rendered.splitlines(), path, f"{path} as rendered", lineterm="", n=2
    )
    return list(lines)


def _marked(section: str, text: str) -> str:
    return f"{_BEGIN.format(section)}\n{text}{_END}"


def _parts(text: str, path: str) -> list[tuple[str, str]]:
    """(section, "") for each marked part and ("", text) for what stands between, in order."""
    parts: list[tuple[str, str]] = []
    kept: list[str] = []
    inside = ""
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        mark = _MARK.match(line.rstrip("\r\n"))
        if mark is None:
            if not inside:
                kept.append(line)
            continue
        opens = mark[1] or ""
        if bool(opens) == bool(inside) or (opens and opens not in SECTIONS):
            raise _broken(f"The mark in line {number} does not fit", path, number)
        if opens:
            parts.append(("", "".join(kept)))
            kept = []
        else:
            parts.append((inside, ""))
        inside = opens
    parts.append(("", "".join(kept)))
    found = [section for section, _ in parts if section]
    lacking = [section for section in SECTIONS if section not in found]
    if inside or lacking or len(found) > len(SECTIONS):
        told = (
            f"the part `{inside}` has no end"
            if inside
            else f"{name_list(lacking or found)} "
            + ("is missing" if len(lacking) == 1 else "are missing" if lacking else "stand more than once")
        )
        raise _broken(f"Its marked parts are not complete: {told}", path, None)
    return parts


def _broken(problem: str, path: str, line: int | None) -> SolidstateError:
    return SolidstateError(
        f"{problem}; what is generated in `{path}` cannot be told from what you wrote.",
        subject=path,
        path=f"{path}, line {line}" if line else path,
        hint="restore the marks `# --- solidstate: ... ---`, or render a new file with `-o other.yaml` and move your "
        "additions there",
    )
