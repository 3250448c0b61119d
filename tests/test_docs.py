"""The pages of ``docs/`` do what they say: every block runs, every request is valid, every output is the one shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages import Page, blocks_of, matches

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted(page.stem for page in DOCS.glob("*.md"))
BACKGROUND = {
    "README",
    "compiler",
    "deploying",
    "how-it-works",
    "local-bundle",
    "parity",
    "performance",
    "reliability",
    "troubleshooting",
}
"""Pages for reading, without code that could run. tests/test_troubleshooting.py holds the last to the source."""

SLOW = {"operating", "testing"}
"""Pages that deploy stacks and start test runs of their own."""


def run(name: str, text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    Page(name, blocks_of(text), monkeypatch).run()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in PAGES]
)
def test_the_blocks_run_in_order(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page, in one module and one folder, with its own assertions."""
    run(name, (DOCS / f"{name}.md").read_text(), tmp_path, monkeypatch)


@pytest.mark.parametrize("name", [name for name in PAGES if name not in BACKGROUND])
def test_a_page_has_claims_that_can_fail(name: str) -> None:
    """There is Python on every page of a concept, and assertions in it."""
    code = [block.text for block in blocks_of((DOCS / f"{name}.md").read_text()) if block.language == "python"]
    assert re.search(r"^\s*assert ", "\n".join(code), re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link is a file of the repository, and what follows a ``#`` a heading of it."""
    page = DOCS / f"{name}.md"
    for target, _, heading in (link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())):
        if target.startswith(("http:", "https:")):
            continue
        file = page.parent / target if target else page
        assert file.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], heading


def test_the_index_names_every_page() -> None:
    """``docs/README.md`` links each page."""
    linked = re.findall(r"\]\(([\w-]+)\.md\)", (DOCS / "README.md").read_text())
    assert sorted({*linked, "README"}) == PAGES


PAGE = """\
```python file=shop.py
from solidstate import pipeline, solid

@solid
def count(limit: int) -> int:
    return limit

@pipeline
def shop():
    count()
```

```yaml request=shop
solids: {count: {inputs: {limit: 3}}}
```

```console
$ solidstate list shop.py
shop
...
  step  count
```
"""

PLANTED = {
    "a false claim": ("    count()\n", "    count()\n\nassert count(1) == 2\n"),
    "an error that is none": ("    count()\n", "    count()\n\ntry:\n    count(1)\nexcept TypeError:\n    pass\n"),
    "a wrong request": ("limit: 3", "limit: three"),
    "an unknown output": ("step  count", "step  counts"),
    "another exit code": ("```console\n", "```console exit=1\n"),
    "an unknown language": ("```yaml request", "```yml request"),
    "an unknown attribute": ("request=shop", "requests=shop"),
    "an open fence": ("  step  count\n```\n", "  step  count\n"),
    "a command of others": ("$ solidstate list", "$ ls"),
}


def test_a_right_page_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page into which the bugs below are planted has none itself."""
    run("right", PAGE, tmp_path, monkeypatch)


@pytest.mark.parametrize(("right", "wrong"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_bug_is_found(right: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of check can fail."""
    assert right in PAGE
    with pytest.raises(AssertionError):
        run("wrong", PAGE.replace(right, wrong), tmp_path, monkeypatch)


def test_what_changes_from_run_to_run_is_left_out_of_account() -> None:
    """Durations, times, widths of columns; lines and parts of lines that a page leaves out."""
    printed = "09:00:56.059  boom    step_start\n\nok   read   2 ms  4 B\ndone in 1.5 s\n"
    assert matches("09:11:00.000 boom step_start\n...\ndone in 7 ms\n", printed)
    assert matches("...\nok  read ... 4 B\ndone in 7 ms", printed)
    assert not matches("09:11:00.000 boom step_start\n", printed)
