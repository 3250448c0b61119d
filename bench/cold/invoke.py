"""One invocation in this process, as Lambda makes it: import the handler, call it. ``invoke.py MODULE EVENT``"""

from __future__ import annotations

import importlib
import json
import sys


class Context:
    """The part of Lambda's context object that is used."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


print(json.dumps(importlib.import_module(sys.argv[1]).lambda_handler(json.loads(sys.argv[2]), Context())))
