"""Mistakes on the command line and in the user's module: what is said about each, word for word."""

from __future__ import annotations

import pytest

from tests.cli.project import Mistake, Project

MISTAKES = [
    Mistake(
        "no command",
        [],
        """
        usage: solidstate COMMAND ...
        error: The following arguments are required: COMMAND.
          fix: `solidstate --help` says more
        """,
    ),
    Mistake(
        "unknown command",
        ["rnu", "x"],
        """
        usage: solidstate COMMAND ...
        error: `rnu` is no command.
          fix: did you mean `run`?
        """,
    ),
    Mistake(
        "unknown config command",
        ["config", "scafold", "x"],
        """
        usage: solidstate COMMAND ...
        error: `scafold` is no command of `solidstate config`.
          fix: did you mean `scaffold`?
        """,
    ),
    Mistake(
        "missing target",
        ["run"],
        """
        usage: solidstate run TARGET [options]
        error: The following arguments are required: TARGET.
          fix: `solidstate run --help` says more
        """,
    ),
    Mistake(
        "unknown option",
        ["run", "words.py", "--eninge", "moto"],
        """
        usage: solidstate run TARGET [options]
        error: `solidstate run` has no option `--eninge`.
          fix: did you mean `--engine`?
        """,
    ),
    Mistake(
        "unknown engine",
        ["run", "words.py", "--engine", "motto"],
        """
        usage: solidstate run TARGET [options]
        error: Argument --engine: there is no `motto`; did you mean `moto`?
          fix: `solidstate run --help` says more
        """,
    ),
    Mistake(
        "surplus",
        ["run", "words.py", "other.py"],
        """
        usage: solidstate run TARGET [options]
        error: `other.py` is one argument too many.
          fix: `solidstate run --help` says what it takes
        """,
    ),
    Mistake(
        "bad limit",
        ["runs", "--limit", "0"],
        """
        usage: solidstate runs [options]
        error: Argument --limit: expected a whole number from 1, got `0`.
          fix: `solidstate runs --help` says more
        """,
    ),
    Mistake(
        "unknown kind",
        ["events", "last", "--kind", "step_sucess"],
        """
        usage: solidstate events RUN [options]
        error: Argument --kind: there is no `step_sucess`; did you mean `step_success`?
          fix: `solidstate events --help` says more
        """,
    ),
    Mistake(
        "missing file",
        ["run", "wrods.py:words"],
        """
        error: There is no file `wrods.py`.
          fix: did you mean `words.py`?
        """,
    ),
    Mistake(
        "missing module",
        ["run", "no_such_module:words"],
        """
        error: There is no module `no_such_module`.
          fix: run from the project's root, or pass the path of the file
        """,
    ),
    Mistake(
        "not a target",
        ["run", "words.py:"],
        """
        error: `words.py:` is not a target.
          fix: write `package.module:pipeline` or `path/to/file.py:pipeline`
        """,
    ),
    Mistake(
        "no such pipeline",
        ["run", "words.py:word"],
        """
        error: `words.py` has no pipeline `word`.
          fix: did you mean `words.py:words`?
        """,
    ),
    Mistake(
        "several pipelines",
        ["plan", "two.py"],
        """
        error: `two.py` has 2 pipelines.
          fix: choose one: `two.py:a`, `two.py:b`
        """,
        {
            "two.py": """
                from solidstate import Mode, RetryPolicy, pipeline, pipeline_from_dependencies, solid

                @solid
                def one() -> int: return 1
                @pipeline
                def a(): one()
                @pipeline
                def b(): one()
            """,
        },
    ),
    Mistake(
        "no pipeline",
        ["list", "none.py"],
        """
        error: `none.py` has no pipeline.
          fix: decorate a function with `@pipeline`
        """,
        {
            "none.py": "x=1\n",
        },
    ),
    Mistake(
        "syntax error",
        ["run", "bad_syntax.py:p"],
        """
        error: `bad_syntax.py:p` cannot be imported: SyntaxError: invalid syntax.
          at: PROJECT/bad_syntax.py:1
          fix: correct this line: `x = = 1`
        """,
        {
            "bad_syntax.py": "x = = 1\n",
        },
    ),
    Mistake(
        "import error",
        ["run", "bad_import.py:p"],
        """
        error: `bad_import.py:p` cannot be imported: ModuleNotFoundError: No module named 'no_such_library'.
          at: PROJECT/bad_import.py:1
          fix: install `no_such_library`, or correct the import
        """,
        {
            "bad_import.py": "import no_such_library\n",
        },
    ),
    Mistake(
        "raise at import",
        ["run", "raises.py:p"],
        """
        error: `raises.py:p` cannot be imported: ZeroDivisionError: division by zero.
          at: PROJECT/raises.py:1
          fix: correct this line: `rate = 1 / 0`
        """,
        {
            "raises.py": "rate = 1 / 0\n",
        },
    ),
    Mistake(
        "sys.exit at import",
        ["run", "leaves.py:p"],
        """
        error: `leaves.py:p` cannot be imported: it ends the program (`sys.exit(0)`).
          at: PROJECT/leaves.py:2
          fix: move what a script does below `if __name__ == "__main__":`
        """,
        {
            "leaves.py": """
                import sys
                sys.exit(0)
            """,
        },
    ),
    Mistake(
        "cycle",
        ["check", "cycle.py"],
        """
        error: Pipeline `p` has a cycle: `a` -> `b` -> `a`.
          at: p
          fix: remove one of these dependencies; data flows one way
        """,
        {
            "cycle.py": """
                from solidstate import Mode, RetryPolicy, pipeline, pipeline_from_dependencies, solid

                @solid
                def a(x: int) -> int: return x
                @solid
                def b(x: int) -> int: return x
                p = pipeline_from_dependencies('p', [a, b], {'a': {'x': 'b'}, 'b': {'x': 'a'}})
            """,
        },
    ),
    Mistake(
        "duplicate names",
        ["check", "twice.py"],
        """
        error: Pipeline `p` uses the name `one` twice.
          at: p.one
          fix: give one of them a name of its own: `one.alias("one_2")`
        """,
        {
            "twice.py": """
                from solidstate import Mode, RetryPolicy, pipeline, pipeline_from_dependencies, solid

                @solid
                def one() -> int: return 1
                @pipeline
                def p():
                    one()
                    one()
            """,
        },
    ),
    Mistake(
        "unconnected",
        ["check", "open_input.py"],
        """
        error: Input `x` of `use` is of type `Thing`, which config cannot give, and is not connected to any output.
          at: p.use.x
          fix: connect it, as in `use(x=upstream())`, or give the parameter a default
        """,
        {
            "open_input.py": """
                from solidstate import Mode, RetryPolicy, pipeline, pipeline_from_dependencies, solid

                class Thing: pass
                @solid
                def use(x: Thing) -> int: return 1
                @pipeline
                def p(): use()
            """,
        },
    ),
    Mistake(
        "missing resource",
        ["check", "no_resource.py"],
        """
        error: Resource `database` is required by solid `use`, but mode `local` does not provide it.
          at: p.modes.local
          fix: it provides `databse`: correct one of the two names
        """,
        {
            "no_resource.py": """
                from solidstate import Mode, RetryPolicy, pipeline, pipeline_from_dependencies, solid

                @solid(resources={'database'})
                def use(context) -> int: return 1
                @pipeline(modes=[Mode('local', {'databse': 1})])
                def p(): use()
            """,
        },
    ),
    Mistake(
        "several definition errors",
        ["check", "several.py"],
        """
        error: Pipeline `p`: 3 errors
          1. Pipeline `p` uses the name `one` twice.
            at: p.one
            fix: give one of them a name of its own: `one.alias("one_2")`
          2. `use` has no input `y`; its inputs: `x`.
            at: p.use
            fix: correct the keyword
          3. Resource `db` is required by solid `use`, but mode `default` does not provide it.
            at: p.modes.default
            fix: add it: `Mode("default", resources={"db": ...})`
        """,
        {
            "several.py": """
                from solidstate import Mode, RetryPolicy, pipeline, pipeline_from_dependencies, solid

                @solid
                def one() -> int: return 1
                @solid(resources={'db'})
                def use(context, x: int) -> int: return 1
                @pipeline
                def p():
                    one()
                    one()
                    use(y=3)
            """,
        },
    ),
    Mistake(
        "bad retry",
        ["check", "retry.py"],
        """
        error: `RetryPolicy.max_attempts` must be a whole number from 1 to 100, got 0.
          fix: choose a value between 1 and 100
        """,
        {
            "retry.py": """
                from solidstate import Mode, RetryPolicy, pipeline, pipeline_from_dependencies, solid

                @solid(retry=RetryPolicy(max_attempts=0))
                def one() -> int: return 1
            """,
        },
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name for mistake in MISTAKES])
def test_a_mistake_is_answered_in_full(words: Project, mistake: Mistake) -> None:
    """Every mistake gets one readable error, word for word, and an exit code; never a traceback."""
    mistake.check(words)
