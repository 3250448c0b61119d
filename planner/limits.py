"""What Step Functions and Lambda allow, in one table: every quota the compiler knows, with its source.

As of 2026-11. [SFN] Step Functions developer guide, "Service quotas" and "Error handling"; [ASL] Amazon States Language
specification; [LAMBDA] Lambda developer guide, "Lambda quotas"; [OURS] a bound of our own, with its reason.
``planner.quotas`` proves that a compiled pipeline keeps them.
"""

from __future__ import annotations

MAX_DEFINITION_BYTES = 1_048_576
"""One state machine definition [SFN]."""
MAX_HISTORY_EVENTS = 25_000
"""Events of one standard execution, hard; more fails it [SFN]."""
HISTORY_RESERVE = 1_000
"""Events kept free for what cannot be planned: throttled attempts (3 events each) and a redrive, which the service only
offers while an execution has fewer than 24,999 events [SFN]."""
MAX_PAYLOAD_BYTES = 262_144
"""Input or output of a task, a state or an execution [SFN]."""
MAX_INLINE_ITEMS = 1_000
"""Items whose keys (of 64 characters) surely fit into the answer of one Task; more are listed in S3 and run by a
distributed Map [OURS]."""
MAX_STATE_NAME = 80
"""Characters [SFN]."""
MAX_MAP_CONCURRENCY = 10_000
"""Child executions of a distributed Map at a time [SFN]."""
MAX_NESTED_PARALLELS = 24
"""Parallels inside each other in one machine [OURS]: no limit of the service is documented, but the local interpreter
runs out of stack between 30 and 40; what lies deeper becomes a nested execution."""
MAX_LAMBDA_TIMEOUT_S = 900
"""[LAMBDA]"""
TIMEOUT_MARGIN_S = 60
"""The machine waits this much longer than the function may take, else it would start a second attempt beside a first
one that still runs [OURS]."""
PARK_S = 14_400
"""How long a parked step sleeps before it looks again by itself [OURS]: it heals a lost wake-up, and costs two
transitions each time."""
MEMORY_MB = (128, 10_240)
"""[LAMBDA]"""
EPHEMERAL_MB = (512, 10_240)
"""[LAMBDA]"""
MAX_RETRY_ATTEMPTS = 99_999_999
"""``MaxAttempts`` and ``IntervalSeconds`` [SFN]."""
MAX_RETRY_DELAY_S = 31_622_399
"""``MaxDelaySeconds`` must be below 31,622,400 [SFN]."""
