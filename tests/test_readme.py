"""What the README says is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def blocks(page: Path, language: str) -> list[str]:
    """The fenced code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_python_blocks_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Definitions first, then their execution with its own assertions."""
    (tmp_path / "day.txt").write_text("30\n10\n25\n")
    module = tmp_path / "readings.py"
    code = blocks(ROOT / "README.md", "python")
    assert len(code) == 2
    module.write_text("\n".join(code))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "readings"}
    exec(compile(module.read_text(), str(module), "exec"), names)  # noqa: S102 - the README is ours
    assert "readings" in names


def test_the_command_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The `solidstate run` line works as it stands, here without AWS."""
    from solidstate.cli.main import main

    (tmp_path / "day.txt").write_text("30\n10\n25\n")
    (tmp_path / "readings.py").write_text(blocks(ROOT / "README.md", "python")[0])
    monkeypatch.chdir(tmp_path)
    (line,) = re.findall(r"^\$ solidstate (.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert main([*line.split(), "--engine", "inline"]) == 0
    assert "spread" in capsys.readouterr().out


@pytest.mark.parametrize("page", ["README.md", "docs/how-it-works.md", "docs/deploying.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page is a file of the repository."""
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), target
