"""``python -m tests.fuzz TARGET --seconds 600``: let atheris, guided by coverage, look for what breaks a target.

It begins with the kept inputs and with those of its last run, in ``build/fuzz/TARGET``. An input that breaks the target
is left there too, with what it raised on stderr; fix that, and add it with ``--add FILE``. ``--keep`` replaces what is
kept by the few inputs that run most of what all of them run.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import sys
from pathlib import Path
from typing import Any

from tests.fuzz.corpora import keep, kept, smallest
from tests.fuzz.targets import NAMES, target

MADE = Path("build/fuzz")
MAX_BYTES = 2_048


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--add", type=Path, metavar="FILE", help="keep this input")
    parser.add_argument("--keep", action="store_true", help="keep the few that run most")
    options = parser.parse_args()
    if options.add is not None:
        keep(options.target, [*kept(options.target), options.add.read_bytes()])
    elif options.keep:
        found = [path.read_bytes() for path in sorted((MADE / options.target).iterdir())]
        keep(options.target, smallest(target(options.target), [*kept(options.target), *found]))
    else:
        _fuzz(options.target, options.seconds)


def _fuzz(name: str, seconds: int) -> None:
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        sys.exit("Fuzzing needs atheris, which `make fuzz` installs.")
    with atheris.instrument_imports(include=["solidstate", "tests.fuzz.draws"]):
        check = target(name)
    made, broken = MADE / name, MADE / "broken" / name
    for folder in (made, broken):
        folder.mkdir(parents=True, exist_ok=True)
    for one in kept(name):
        (made / hashlib.sha1(one, usedforsecurity=False).hexdigest()).write_bytes(one)
    limits = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_BYTES}",
        "-len_control=0",
        "-timeout=30",
        "-rss_limit_mb=3000",
    ]
    told = ["-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={broken}/"]
    atheris.Setup([sys.argv[0], *limits, *told, str(made)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
