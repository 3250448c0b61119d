"""Wheels made here, for an installer to find: stand-ins for what comes from elsewhere, and what is installed, packed.

A stand-in has a name and a version and nothing in it. It lets an installer resolve everything that depends on, say,
pandas, without fetching pandas or what only pandas needs. Its version has the local part ``+elsewhere``, which no index
has, and which fits whatever fits the version itself.

A package of pure Python that was published without a wheel is packed as it is installed here: nothing of it is run.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name
from packaging.version import Version

from solidstate.infra.bundle_archive import EPOCH

ELSEWHERE = "elsewhere"
_PURE_TAG = "py3-none-any"


def stand_in(name: str, version: str, folder: Path) -> str:
    """A wheel without content in ``folder``; gives the requirement that means it and nothing else."""
    marked = f"{Version(version).public}+{ELSEWHERE}"
    stem = f"{name.replace('-', '_')}-{marked}"
    metadata_text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {marked}\n"
    files = {f"{stem}.dist-info/METADATA": metadata_text.encode()}
    _write(folder / f"{stem}-{_PURE_TAG}.whl", f"{stem}.dist-info", files, [_PURE_TAG])
    return f"{name}=={marked}"


def is_stand_in(version: str) -> bool:
    return version.endswith(f"+{ELSEWHERE}")


def packed(name: str, folder: Path, *, pure_only: bool = True) -> Path | None:
    """The installed distribution ``name`` as a wheel in ``folder``. None when it is not installed, incomplete,
    installed as a link to its sources, or, with ``pure_only``, not of pure Python."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    wheel, record = found.read_text("WHEEL"), found.files
    tags = [line.partition(": ")[2] for line in (wheel or "").splitlines() if line.startswith("Tag: ")]
    editable = found.read_text("direct_url.json") is not None
    if record is None or not tags or editable or (pure_only and any(not tag.endswith("-none-any") for tag in tags)):
        return None
    files: dict[str, bytes] = {}
    information = ""
    for path in record:
        if not _belongs(path):
            continue
        try:
            files[path.as_posix()] = Path(str(found.locate_file(path))).read_bytes()
        except OSError:
            return None
        if path.name == "METADATA" and len(path.parts) == 2:
            information = path.parts[0]
    stem = f"{str(canonicalize_name(name)).replace('-', '_')}-{found.version}"
    if not information:
        return None
    renamed = {key.replace(f"{information}/", f"{stem}.dist-info/", 1): body for key, body in files.items()}
    made = folder / f"{stem}-{_joined(tags)}.whl"
    _write(made, f"{stem}.dist-info", renamed, tags)
    return made


def _belongs(path: PurePosixPath) -> bool:
    """Not what the installer wrote, nor scripts outside of the library's folder."""
    installers = {"RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json"}
    if ".." in path.parts or path.is_absolute() or path.suffix == ".pyc":
        return False
    return not (path.name in installers and path.parts[0].endswith(".dist-info"))


def _joined(tags: list[str]) -> str:
    """``py2.py3-none-any`` of ``py2-none-any`` and ``py3-none-any``."""
    columns = zip(*(tag.split("-") for tag in tags), strict=True)
    return "-".join(".".join(dict.fromkeys(column)) for column in columns)


def _write(path: Path, information: str, files: dict[str, bytes], tags: Iterable[str]) -> None:
    lines = ["Wheel-Version: 1.0", "Generator: solidstate", "Root-Is-Purelib: true", *(f"Tag: {tag}" for tag in tags)]
    whole = {**files, f"{information}/WHEEL": "\n".join([*lines, ""]).encode()}
    record = [f"{name},{_digest(body)},{len(body)}" for name, body in sorted(whole.items())]
    record.append(f"{information}/RECORD,,")
    whole[f"{information}/RECORD"] = "\n".join([*record, ""]).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, body in sorted(whole.items()):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), body)


def _digest(body: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
