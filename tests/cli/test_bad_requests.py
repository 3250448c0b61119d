"""Mistakes in run requests, documents and run ids: what is said about each, word for word."""

from __future__ import annotations

import pytest

from tests.cli.project import Mistake, Project

MISTAKES = [
    Mistake(
        "unknown mode",
        ["run", "words.py", "--preset", "sample", "--mode", "prd"],
        """
        error: Run request for pipeline `words`: There is no mode 'prd'.
          at: mode
          fix: did you mean `prod`?
        """,
    ),
    Mistake(
        "unknown preset",
        ["run", "words.py", "--mode", "local", "--preset", "smaple"],
        """
        error: Run request for pipeline `words`: 2 errors
          1. There is no preset 'smaple'.
            at: preset
            fix: did you mean `sample`?
          2. Missing required field `path` of type `str`.
            at: solids.read.config.path
            fix: add it, for example `{"solids":{"read":{"config":{"path":"..."}}}}`
        """,
    ),
    Mistake(
        "wrong type",
        ["run", "words.py", "--preset", "sample", "--set", "solids.read.config.limit=many"],
        """
        error: Run request for pipeline `words`: Expected `int | None`, got 'many' of type `str`.
          at: solids.read.config.limit
          fix: for example `0`
        """,
    ),
    Mistake(
        "missing config",
        ["run", "words.py", "--mode", "prod"],
        """
        error: Run request for pipeline `words`: Missing required field `path` of type `str`.
          at: solids.read.config.path
          fix: add it, for example `{"solids":{"read":{"config":{"path":"..."}}}}`
        """,
    ),
    Mistake(
        "missing mode",
        ["run", "words.py", "--set", "solids.read.config.path=x"],
        """
        error: Run request for pipeline `words`: Missing required field `mode`; pipeline `words` has `local`, `prod`.
          at: mode
          fix: add it, for example `{"mode":"local"}`
        """,
    ),
    Mistake(
        "unknown key",
        ["run", "words.py", "--preset", "sample", "--set", "solids.read.config.limt=1"],
        """
        error: Run request for pipeline `words`: Unknown field 'limt'.
          at: solids.read.config.limt
          fix: did you mean `limit`?
        """,
    ),
    Mistake(
        "unknown solid",
        ["run", "words.py", "--preset", "sample", "--set", "solids.raed.config.limit=1"],
        """
        error: Run request for pipeline `words`: Unknown field 'raed'.
          at: solids.raed
          fix: did you mean `read`?
        """,
    ),
    Mistake(
        "several request errors",
        ["config", "check", "words.py", "r.json"],
        """
        error: Run request for pipeline `words`: 3 errors
          1. Unknown field 'tagz'.
            at: tagz (line 1, column 17)
            fix: did you mean `tags`?
          2. There is no mode 'prd'.
            at: mode (line 1, column 10)
            fix: did you mean `prod`?
          3. Expected `str`, got 3 of type `int`.
            at: solids.read.config.path (line 1, column 68)
            fix: quote it: `'3'`
        """,
        {
            "r.json": '{"mode": "prd", "tagz": {}, "solids": {"read": {"config": {"path": 3}}}}',
        },
    ),
    Mistake(
        "unknown selection",
        ["run", "words.py", "--preset", "sample", "--steps", "splt*"],
        """
        error: Run request for pipeline `words`: There is no step `splt`.
          at: steps
          fix: did you mean `split`?
        """,
    ),
    Mistake(
        "incomplete selection",
        ["run", "words.py", "--preset", "sample", "--steps", "count"],
        """
        error: Run request for pipeline `words`: `count` reads from `split`, which is not selected.
          at: steps
          fix: select it too (`*count`), or name a run to reuse: `from_run`
        """,
    ),
    Mistake(
        "bad run id",
        ["run", "words.py", "--preset", "sample", "--run-id", "../x\x1b"],
        """
        error: `../x\\x1b` cannot be the id of a run: expected letters, digits, `_`, `.` and `-`, at most 80, \
the first a letter or digit.
          fix: choose an id like `nightly-2013-01-31`, or leave `--run-id` out
        """,
    ),
    Mistake(
        "unknown from-run",
        ["run", "words.py", "--preset", "sample", "--steps", "count", "--from-run", "2013-01"],
        """
        error: There is no run `2013-01`.
          fix: list the runs with `solidstate runs`
        """,
    ),
    Mistake(
        "bad set",
        ["run", "words.py", "--set", "solids.read"],
        """
        error: `--set solids.read` is not an assignment.
          fix: write `--set solids.STEP.config.FIELD=VALUE`
        """,
    ),
    Mistake(
        "set below value",
        ["run", "words.py", "--set", "mode=local", "--set", "mode.name=x"],
        """
        error: `--set mode.name=...` cannot be applied: `mode` is a `str`, which has no fields.
          fix: set `mode` as a whole, or correct the path
        """,
    ),
    Mistake(
        "bad tag",
        ["run", "words.py", "--tag", "owner"],
        """
        error: `--tag owner` is not a tag.
          fix: write `--tag owner=ops`
        """,
    ),
    Mistake(
        "missing config file",
        ["run", "words.py", "--config", "no.yaml"],
        """
        error: There is no file `no.yaml`.
          fix: check the path; it is relative to the current directory
        """,
    ),
    Mistake(
        "config is a folder",
        ["run", "words.py", "--config", "folder"],
        """
        error: `folder` cannot be read: Is a directory.
          fix: pass the path of a readable file
        """,
        {
            "folder/x": "",
        },
    ),
    Mistake(
        "malformed yaml",
        ["run", "words.py", "--config", "r.yaml"],
        """
        error: `r.yaml` is not valid YAML: while parsing a flow sequence, expected ',' or ']', but got ':'.
          at: r.yaml:3:5
          fix: correct this line: `tags: {}`
        """,
        {
            "r.yaml": """
                mode: local
                solids: {read: [1, 2
                tags: {}
            """,
        },
    ),
    Mistake(
        "yaml tab",
        ["run", "words.py", "--config", "r.yaml"],
        """
        error: `r.yaml` is not valid YAML: while scanning for the next token, found character '\\t' that cannot \
start any token.
          at: r.yaml:3:1
          fix: correct this line: `read: 1`
        """,
        {
            "r.yaml": "mode: local\nsolids:\n\tread: 1\n",
        },
    ),
    Mistake(
        "malformed json",
        ["run", "words.py", "--config", "r.json"],
        """
        error: `r.json` is not valid JSON: Expecting ':' delimiter.
          at: r.json:1:9
          fix: correct this line: `{"mode" "local"}`
        """,
        {
            "r.json": '{"mode" "local"}\n',
        },
    ),
    Mistake(
        "dup yaml",
        ["run", "words.py", "--config", "r.yaml"],
        """
        error: The key 'mode' stands twice in one mapping of `r.yaml`.
          at: r.yaml:2:1
          fix: keep one
        """,
        {
            "r.yaml": """
                mode: local
                mode: prod
            """,
        },
    ),
    Mistake(
        "dup json",
        ["run", "words.py", "--config", "r.json"],
        """
        error: The key 'mode' stands twice in one mapping of `r.json`.
          fix: keep one
        """,
        {
            "r.json": '{"mode": "local", "mode": "prod"}\n',
        },
    ),
    Mistake(
        "alias bomb",
        ["run", "words.py", "--config", "r.yaml"],
        """
        error: `r.yaml` is not valid YAML: the alias `*a` is not allowed.
          at: r.yaml:2:8
          fix: correct this line: `b: &b [*a, *a]`
        """,
        {
            "r.yaml": """
                a: &a [x, x]
                b: &b [*a, *a]
                c: [*b, *b]
            """,
        },
    ),
    Mistake(
        "tag",
        ["run", "words.py", "--config", "r.yaml"],
        """
        error: `r.yaml` is not valid YAML: the tag `python/object/apply:os.system` is not allowed.
          at: r.yaml:1:7
          fix: correct this line: `mode: !!python/object/apply:os.system [id]`
        """,
        {
            "r.yaml": "mode: !!python/object/apply:os.system [id]\n",
        },
    ),
    Mistake(
        "own tag",
        ["run", "words.py", "--config", "r.yaml"],
        """
        error: `r.yaml` is not valid YAML: the tag `!env` is not allowed.
          at: r.yaml:1:7
          fix: correct this line: `mode: !env MODE`
        """,
        {
            "r.yaml": "mode: !env MODE\n",
        },
    ),
    Mistake(
        "a list",
        ["run", "words.py", "--config", "r.yaml"],
        """
        error: Run request for pipeline `words`: Expected `a mapping`, got ['a', 'b'] of type `list`.
          fix: start from `{}`
        """,
        {
            "r.yaml": """
                - a
                - b
            """,
        },
    ),
    Mistake(
        "NaN",
        ["run", "words.py", "--config", "r.json"],
        """
        error: `r.json` holds a value that JSON cannot: `NaN` is not JSON.
          fix: remove it
        """,
        {
            "r.json": '{"mode": NaN}',
        },
    ),
    Mistake(
        "not utf8",
        ["run", "words.py", "--config", "r.json"],
        """
        error: `r.json` is not UTF-8 text: byte 10 is 0xff.
          fix: save it as UTF-8
        """,
        {
            "r.json": b'{"mode": "\xff"}',
        },
    ),
    Mistake(
        "unknown run",
        ["show", "nightly"],
        """
        error: There is no run `nightly`.
          fix: list the runs with `solidstate runs`
        """,
    ),
    Mistake(
        "no runs",
        ["show", "last"],
        """
        error: No run is on record.
          fix: start one with `solidstate run TARGET`
        """,
    ),
    Mistake(
        "ctrl",
        ["show", "a\x1b[2J\nerror: forged"],
        """
        error: There is no run `a\\x1b[2J
          | error: forged`.
          fix: list the runs with `solidstate runs`
        """,
    ),
    Mistake(
        "home is a file",
        ["run", "words.py", "--preset", "sample", "--engine", "inline", "--home", "file"],
        """
        error: The folder for local runs cannot be written: Not a directory.
          at: PROJECT/file
          fix: pass another one with `--home DIR` or the environment variable SOLIDSTATE_HOME
        """,
        {
            "file": "",
        },
        code=1,
    ),
    Mistake(
        "output to nowhere",
        ["compile", "words.py", "-o", "no/such/folder/x.json"],
        """
        error: `no/such/folder/x.json` cannot be written: No such file or directory.
          fix: name a file in a folder that exists and is yours
        """,
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name for mistake in MISTAKES])
def test_a_mistake_is_answered_in_full(words: Project, mistake: Mistake) -> None:
    """Every mistake gets one readable error, word for word, and an exit code; never a traceback."""
    mistake.check(words)
