"""``plan``: the tree, the data, the explanation and the drawing of one pipeline, with durations of runs."""

from __future__ import annotations

import pytest

from solidstate.cli.draw_plan import drawing_of
from solidstate.load import load_pipeline
from solidstate.planner.build import build_plan
from solidstate.planner.compile import machine_nest
from solidstate.planner.plan import decode_plan
from tests.cli.project import Mistake, Project
from tests.cli.test_svg import parsed


def test_plan_draws_the_nesting(letter_n: Project) -> None:
    """Steps below each other run one after the other, branches side by side; each says what it takes and gives, and
    what it waits for by itself."""
    ran = letter_n.run("plan", "n.py")
    assert ran.code == 0
    assert ran.out == (
        "n  5 steps, 3 one after the other, 1 with a rendezvous\n"
        "The letter N.\n"
        "\n"
        "┬ 2 side by side\n"
        "├─ a\n"
        "│      out  result  int\n"
        "│  c  Put both together.\n"
        "│      also waits for b\n"
        "│      in   left    int    from a\n"
        "│      in   right   int    from b\n"
        "│      in   factor  float  from the run request, or its default\n"
        "│      out  result  int\n"
        "│      retry  up to 3 attempts\n"
        "╰─ b\n"
        "       out  result  int\n"
        "   d\n"
        "       in   right  int  from b\n"
        "       out  most   str  what there is\n"
        "       out  rest   str  optional\n"
        "e\n"
        "    in   parts   list[int]   from [a, c]\n"
        "    in   after   order only  from d.most\n"
        "    out  result  int\n"
    )


def test_plan_shows_what_is_mapped(maps: Project) -> None:
    """The steps of a Map stand together below what they are run for; it waits as a whole."""
    assert maps.run("plan", "maps.py").out == (
        "maps  5 steps, 4 one after the other\n"
        "\n"
        "┬ 2 side by side\n"
        "├─ settings\n"
        "│      out  result  dict[str, int]\n"
        "╰─ split\n"
        "       out  files  str  up to 50 items\n"
        "↻ for each of split.files\n"
        "│  clean\n"
        "│      in   text    str             the item's from split.files\n"
        "│      in   limits  dict[str, int]  from settings\n"
        "│      out  result  str\n"
        "│  count\n"
        "│      in   text    str  the item's from clean\n"
        "│      out  result  int\n"
        "total\n"
        "    in   counts  list[int]  all items' from count\n"
        "    out  result  int\n"
    )


def test_plan_as_data_is_the_plan(letter_n: Project) -> None:
    """``--json`` is the plan itself: it reads back as what the planner makes, whatever was measured."""
    ran = letter_n.run("plan", "n.py", "--json")
    assert decode_plan(ran.out.encode()) == build_plan(load_pipeline("n.py"))


def test_plan_explains_itself_in_words_and_as_data(letter_n: Project) -> None:
    """The same facts: what holds each step up, each rendezvous with its reason, and what a run takes."""
    ran = letter_n.run("plan", "n.py", "--explain")
    assert ran.code == 0
    assert ran.out.startswith("n  5 steps, 1 fork, 1 with a rendezvous\n")
    document = letter_n.run("plan", "n.py", "--explain", "--json").json()
    assert [(one["step"], one["after"], one["waits"]) for one in document["steps"]] == [
        ("a", [], []),
        ("b", [], []),
        ("c", ["a"], ["b"]),
        ("d", ["b"], []),
        ("e", ["c", "d"], []),
    ]
    assert [one["reason"] in " ".join(ran.out.split()) for one in document["rendezvous"]] == [True]
    assert document["transitions"] == 8


def test_plan_is_drawn_into_a_file(letter_n: Project) -> None:
    """Nothing else is printed on stdout; with ``--explain`` the explanation is."""
    ran = letter_n.run("plan", "n.py", "--svg", "n.svg")
    drawing = (letter_n.root / "n.svg").read_bytes()
    assert ran == (0, "", f"wrote n.svg: 5 steps, {len(drawing):,} bytes\n")
    made = build_plan(load_pipeline("n.py"))
    assert drawing == drawing_of(made, machine_nest(made)).encode()
    assert parsed(drawing.decode()).tag == "svg"
    assert letter_n.run("plan", "n.py", "--svg", "-").out.encode() == drawing
    both = letter_n.run("plan", "n.py", "--svg", "n.svg", "--explain")
    assert both.out == letter_n.run("plan", "n.py", "--explain").out


MISTAKES = [
    Mistake(
        "a folder that is not there",
        ["plan", "n.py", "--svg", "nowhere/n.svg"],
        """
        error: `nowhere/n.svg` cannot be written: No such file or directory.
          fix: name a file in a folder that exists and is yours
        """,
    ),
    Mistake(
        "two results on stdout",
        ["plan", "n.py", "--svg", "-", "--explain"],
        """
        usage: solidstate plan TARGET [options]
        error: `--svg -` writes the drawing to stdout, where nothing else can be.
          fix: name a file: `--svg plan.svg`
        """,
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistakes_are_said(mistake: Mistake, letter_n: Project) -> None:
    """One readable error on stderr, nothing on stdout, nothing written."""
    mistake.check(letter_n)
