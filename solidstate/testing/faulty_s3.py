"""A proxy on loopback in front of an S3, which does to requests what networks and S3 do to them on bad days.

It works on HTTP, so it serves any client: boto3, obstore, s3fs. What is to go wrong is told by rules, or left to chance
with a seed. Requests that nothing is done to are passed on as they are.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Literal, get_args
from urllib.parse import unquote, urlsplit

import msgspec

from solidstate.errors import SolidstateError, closest, name_list, shown
from solidstate.testing.fault_kinds import FaultNotMet
from solidstate.testing.s3_proxy import Proxy

HttpFault = Literal[
    "503 SlowDown",
    "500 InternalError",
    "409 ConditionalRequestConflict",
    "412 PreconditionFailed",
    "403 AccessDenied",
    "reset",
    "lost answer",
    "truncated",
    "damaged",
    "delay",
]
"""``reset``: the connection ends before the request was passed on; ``lost answer``: after S3 has done what it asks.
``truncated``: half of the answer's body, then the end; ``damaged``: one bit of it is another. ``delay``: half a second.
Those that begin with a status are answered by the proxy, and S3 hears nothing of the request."""
FAULTS: tuple[HttpFault, ...] = get_args(HttpFault)
_ON_CONDITION = ("409 ConditionalRequestConflict", "412 PreconditionFailed")
_ON_BODIES = ("truncated", "damaged")


class HttpRequest(msgspec.Struct, frozen=True):
    """A request as the proxy saw it, and what was done to it. ``key`` is what follows the bucket; ``conditional``: it
    had ``If-None-Match``."""

    method: str
    key: str
    conditional: bool
    fault: HttpFault | None = None


class HttpRule(msgspec.Struct):
    """``times`` requests meet ``fault``: those of ``method`` (any) for a key like ``key``, with ``*`` for anything.
    ``count`` is how many have."""

    fault: HttpFault
    times: int
    method: str | None
    key: str
    count: int = 0

    def concerns(self, request: HttpRequest) -> bool:
        wanted = self.method in (None, request.method) and fnmatchcase(request.key, self.key)
        return wanted and self.count < self.times and _can_meet(request, self.fault)


class FaultyS3:
    """What goes wrong between clients of ``url`` and the S3 behind it. ``requests`` are all so far, in the order they
    came. Made by :func:`open_faulty_s3`, or by ``local_stack.faulty_s3()``."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[HttpRequest] = []
        self._rules: list[HttpRule] = []
        self._chances: dict[HttpFault, float] = {}
        self._seed: int | str = 0
        self._seen: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def rule(self, fault: HttpFault, *, times: int = 1, method: str | None = None, key: str = "*") -> HttpRule:
        """From now on ``times`` requests meet the fault; of rules that concern one, the oldest counts. 409 and 412 are
        met by conditional PUTs alone, ``truncated`` and ``damaged`` by GETs alone."""
        made = HttpRule(_checked(fault), times, method, key)
        self._rules.append(made)
        return made

    def at_random(self, seed: int | str, chances: Mapping[HttpFault, float]) -> None:
        """From now on each request meets each fault with that chance. The same seed means the same for the same
        requests: it depends on method, key and how often that was asked for before, not on who comes first."""
        self._seed, self._chances = seed, {_checked(fault): chance for fault, chance in chances.items()}

    def met(self) -> Counter[HttpFault]:
        """How often each fault was met."""
        return Counter(request.fault for request in self.requests if request.fault is not None)

    def fault_of(self, method: str, target: str, *, conditional: bool) -> HttpFault | None:
        """What is to be done to a request. Asked once for each."""
        parts = urlsplit(target)
        key = unquote(parts.path).lstrip("/").partition("/")[2]
        request = HttpRequest(method, key, conditional)
        with self._lock:
            fault = self._chosen(request, target)
            self.requests.append(msgspec.structs.replace(request, fault=fault))
        return fault

    def _chosen(self, request: HttpRequest, target: str) -> HttpFault | None:
        for rule in self._rules:
            if rule.concerns(request):
                rule.count += 1
                return rule.fault
        self._seen[request.method, target] += 1
        dice = random.Random(f"{self._seed} {request.method} {target} {self._seen[request.method, target]}")  # noqa: S311
        for fault, chance in self._chances.items():
            if dice.random() < chance and _can_meet(request, fault):
                return fault
        return None

    def check_met(self) -> None:
        """Raises FaultNotMet for a rule that concerned no request."""
        for rule in self._rules:
            if not rule.count:
                raise FaultNotMet(
                    f"No request met the fault `{rule.fault}`: {rule.method or 'any method'} for a key like "
                    f"{shown(rule.key)}; {len(self.requests)} requests came.",
                    subject=rule.fault,
                    hint="compare with `requests`, which has all that came",
                )


def _can_meet(request: HttpRequest, fault: HttpFault) -> bool:
    if fault in _ON_CONDITION:
        return request.conditional
    return request.method == "GET" if fault in _ON_BODIES else True


def _checked(fault: HttpFault) -> HttpFault:
    if fault not in FAULTS:
        near = closest(fault, FAULTS)
        raise SolidstateError(
            f"There is no HTTP fault {shown(fault)}; there are {name_list(FAULTS)}.",
            subject="fault",
            hint=f"did you mean `{near}`?" if near else 'write `rule("503 SlowDown")`',
        )
    return fault


@contextmanager
def open_faulty_s3(upstream_url: str) -> Generator[FaultyS3]:
    """A proxy in front of the S3 at ``upstream_url`` (HTTP), for the length of a ``with`` block. A rule that concerned
    no request is an error at its end, because the test would prove nothing."""
    faults = FaultyS3()
    with Proxy(upstream_url, faults.fault_of) as proxy:
        faults.url = proxy.url
        yield faults
    faults.check_met()
