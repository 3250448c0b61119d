"""A finished bundle as lines: who takes how much of it, what was left to others, and what the function must be told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from solidstate.cli.text import BLANK, Line, Span, human_size, line, plural, short_path, table

if TYPE_CHECKING:  # importing it needs the extra `local`
    from solidstate.infra.bundle_build import Built

SHOWN = 10
"""Packages that have a line of their own."""


def built_lines(built: Built, machines: Sequence[Path]) -> list[Line]:
    largest, rest = built.shares[:SHOWN], built.shares[SHOWN:]
    rows = [(share.name, human_size(share.size), human_size(share.zipped)) for share in largest]
    if rest:
        sizes = human_size(sum(share.size for share in rest)), human_size(sum(share.zipped for share in rest))
        rows.append((f"and {plural(len(rest), 'more', 'more')}", *sizes))
    rows.append(("all", human_size(built.archived.size), human_size(built.archived.zip_size)))
    manifest = built.manifest
    lines = table(rows, header=("package", "unzipped", "zipped"))
    lines.append(BLANK)
    if manifest.layer:
        lines.append(_fact("from a layer", ", ".join(manifest.layer)))
    if manifest.from_runtime:
        lines.append(_fact("from the runtime", ", ".join(manifest.from_runtime)))
    lines += [_fact("note", remark) for remark in built.remarks]
    lines += [
        _fact("wrote", f"{short_path(str(built.folder))} for {manifest.runtime} on {manifest.arch}"),
        *(_fact("wrote", short_path(str(path))) for path in machines),
        _fact("SOLIDSTATE_PIPELINES", manifest.pipelines_variable),
        _fact("sha256 of the zip", built.archived.digest),
    ]
    return lines


def _fact(name: str, text: str) -> Line:
    return line(Span(f"{name}: ", "dim"), text)
