"""Seconds from starting `solidstate run --engine inline` to the body of its first solid."""

import json
import subprocess
import sys
import time
from pathlib import Path

PIPELINE = """
import time
from pathlib import Path
from solidstate import pipeline, solid

@solid
def first() -> float:
    Path("reached").write_text(repr(time.time()))
    return 0.0

@pipeline
def only():
    first()
"""

Path("only.py").write_text(PIPELINE)
started = time.time()
command = [sys.executable, "-m", "solidstate.cli.main", "run", "only.py:only", "--engine", "inline"]
subprocess.run(command, check=True, capture_output=True)
print(json.dumps({"seconds": float(Path("reached").read_text()) - started}))
