"""What a bundle says about itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.bundle_manifest import Manifest, encode_manifest, read_manifest
from solidstate.infra.bundle_place import MANIFEST

EXAMPLE = Manifest(
    solidstate="0.1.0",
    runtime="python3.12",
    arch="arm64",
    targets={"a": "m:a", "b": "m:b"},
    plans={"a": "1", "b": "2"},
    packages={"msgspec": "0.20"},
    layer=("pandas",),
    from_runtime=("boto3",),
    byte_code=True,
    inputs="abc",
)


def test_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    """And names the pipelines as the function wants to be told."""
    (tmp_path / MANIFEST).write_bytes(encode_manifest(EXAMPLE))
    assert read_manifest(tmp_path) == EXAMPLE
    assert EXAMPLE.pipelines_variable == "m:a,m:b"


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "No such file or directory"), ("{", "Input data was truncated"), ("{}", "Object missing required field")],
)
def test_a_folder_that_is_no_bundle_is_told(tmp_path: Path, text: str | None, reason: str) -> None:
    """With how to make one."""
    if text is not None:
        (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(SolidstateError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value).startswith(f"`{tmp_path}` is no bundle: {reason}")
    assert str(caught.value).endswith(f"  at: {tmp_path / MANIFEST}\n  fix: make one with `solidstate build TARGET`")
