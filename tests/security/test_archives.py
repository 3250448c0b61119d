"""Wheels that somebody made to do harm, and links, on the way into a bundle."""

from __future__ import annotations

import contextlib
import os
import stat
import zipfile
from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra import bundle_install
from solidstate.infra.bundle_archive import archive
from solidstate.infra.bundle_install import Order, check_installed, install
from solidstate.infra.bundle_settings import Settings

STEM = "evil-1.0.dist-info"
EVERYWHERE = Settings("python3.12", "x86_64")


def wheel(folder: Path, files: dict[str, bytes], link: str = "") -> Path:
    """A wheel with whatever names; ``link`` is one that its archive says is a link to ``/etc``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "evil-1.0-py3-none-any.whl"
    own = {
        f"{STEM}/METADATA": b"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
        f"{STEM}/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in {**files, **own, f"{STEM}/RECORD": b"".join(f"{n},,\n".encode() for n in files)}.items():
            made.writestr(zipfile.ZipInfo(name), body)
        if link:
            information = zipfile.ZipInfo(link)
            information.create_system = 3
            information.external_attr = (stat.S_IFLNK | 0o777) << 16
            made.writestr(information, "/etc")
    return path


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    """An order for the one package, which comes from a folder alone."""
    wheels = tmp_path / "wheels"
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nno-index = true\n")  # wheels come from the order's folder
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)  # they would go before the files
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    (tmp_path / "uv.toml").write_text("no-index = true\n")
    monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "uv.toml"))
    return Order(["evil"], [], [], wheels)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["../outside.py", "../../outside.py", "{root}/outside.py", "a/../../outside.py"])
def test_nothing_is_unpacked_outside(tmp_path: Path, offline: Order, name: str) -> None:
    """Whichever installer there is: it refuses the wheel, or writes below the folder; the file is nowhere else."""
    wheel(offline.wheels, {name.format(root=tmp_path): b"owned = True\n", "evil.py": b""})
    target, scratch = tmp_path / "a" / "b" / "target", tmp_path / "a" / "scratch"
    scratch.mkdir(parents=True)
    with contextlib.suppress(SolidstateError):
        install(offline, EVERYWHERE, target, scratch)
    found = [path for path in tmp_path.rglob("outside.py") if not path.is_relative_to(target)]
    assert found == []


@pytest.mark.slow
def test_a_link_in_a_wheel_is_no_link(tmp_path: Path, offline: Order) -> None:
    """Whichever installer there is: unpacked as a file, or refused."""
    wheel(offline.wheels, {"evil.py": b""}, link="evil_data")
    target, scratch = tmp_path / "target", tmp_path / "scratch"
    scratch.mkdir()
    try:
        install(offline, EVERYWHERE, target, scratch)
    except SolidstateError:
        return
    assert not any(path.is_symlink() for path in target.rglob("*"))
    assert archive(target).size < 10_000


def test_links_are_refused(tmp_path: Path) -> None:
    """To a file and to a folder, whatever unpacked them: what they lead to is not read."""
    for kind in ("file", "folder"):
        root = tmp_path / kind
        root.mkdir()
        (root / "link").symlink_to("/etc/passwd" if kind == "file" else "/etc")
        with pytest.raises(SolidstateError) as caught:
            check_installed(root)
        assert str(caught.value) == (
            f"A package brings the link 'link', and a bundle holds none.\n  at: {root}\n"
            "  fix: ask for another version of the package, or take it from a layer"
        )


def test_what_grows_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few bytes in a wheel may be gigabytes on disk: they are counted before any of them is read."""
    with (tmp_path / "bomb.bin").open("wb") as file:
        file.truncate(3 * 1024**3)  # takes no room
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(SolidstateError) as caught:
        check_installed(tmp_path)
    assert str(caught.value) == (
        "The packages have 3,072 MB; a bundle has at most 250 MB, and 2,048 MB before what it does not need is taken "
        "away.\n  fix: take the largest from a layer (`--layer-provided NAME`)"
    )
    assert bundle_install.MAX_INSTALLED_BYTES < 3 * 1024**3
