"""The baseline of first_step_inline: a bare process that imports what a step handler cannot do without."""

import json
import subprocess
import sys
import time

started = time.time()
subprocess.run([sys.executable, "-c", "import msgspec; from aws_lambda_powertools import Logger"], check=True)
print(json.dumps({"seconds": time.time() - started}))
