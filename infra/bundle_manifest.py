"""What a bundle says about itself: ``solidstate-bundle.json`` in its root, shipped with it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from solidstate.errors import SolidstateError
from solidstate.infra.bundle_place import MANIFEST
from solidstate.infra.bundle_settings import Architecture


class Manifest(msgspec.Struct, frozen=True):
    """``targets`` and ``plans`` are by pipeline: what SOLIDSTATE_PIPELINES is to name, and the shipped plan's hash.

    ``inputs`` is a digest of all that the bundle was made from: equal inputs, equal bundle.
    """

    solidstate: str
    runtime: str
    arch: Architecture
    targets: dict[str, str]
    plans: dict[str, str]
    packages: dict[str, str]
    layer: tuple[str, ...]
    from_runtime: tuple[str, ...]
    byte_code: bool
    inputs: str

    @property
    def pipelines_variable(self) -> str:
        """The value of SOLIDSTATE_PIPELINES."""
        return ",".join(self.targets.values())


def encode_manifest(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def read_manifest(bundle: Path) -> Manifest:
    """Raises SolidstateError when the folder is no bundle."""
    path = bundle / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise SolidstateError(
            f"`{bundle}` is no bundle: {getattr(error, 'strerror', None) or error}.",
            subject=str(bundle),
            path=str(path),
            hint="make one with `solidstate build TARGET`",
        ) from error
