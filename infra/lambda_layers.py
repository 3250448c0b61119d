"""Stand-ins, from this environment's packages, for what Lambda puts beside a bundle: its own boto3, and layers.

Nothing is copied: a folder of links shows the packages that were named, what they require, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from solidstate.errors import EngineError, name_list
from solidstate.infra.bundle_packages import installed_closure

RUNTIME = ("awslambdaric", "boto3")
"""What Lambda's Python runtimes come with."""


def link_packages(names: Iterable[str], folder: Path) -> Path:
    """Show the packages ``names`` in ``folder``. Raises EngineError naming those that are not installed here."""
    wanted = list(names)
    closure = installed_closure(wanted)
    missing = [name for name in wanted if name not in closure]
    if missing:
        raise EngineError(
            f"{name_list(missing)}, which Lambda has beside the bundle, {'is' if len(missing) == 1 else 'are'} not "
            "installed here.",
            subject=missing[0],
            hint=f"`pip install {' '.join(missing)}`",
        )
    folder.mkdir(parents=True)
    for distribution in closure.values():
        tops = {path.parts[0] for path in distribution.files or [] if path.parts and path.parts[0] != ".."}
        for top in sorted(tops - {"__pycache__"}):
            place = Path(str(distribution.locate_file(top)))
            if place.exists() and not (folder / top).is_symlink():
                (folder / top).symlink_to(place)
    return folder
