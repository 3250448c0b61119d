"""What AWS charges, in one table with its date.

Looked up in November 2026: the price of a transition in a copy of the page named beside it, the others in articles of
2024 to 2026 that quote theirs. List prices beyond the free tier, without savings plans, volume steps or taxes. No bill
has confirmed them: look at the pages before you rely on a sum.
"""

from __future__ import annotations

import msgspec

REGION = "us-east-1"
AS_OF = "2026-11"


class Price(msgspec.Struct, frozen=True):
    """``dollars`` for ``per`` of ``unit``, as the page at ``source`` has it."""

    unit: str
    dollars: float
    per: int
    source: str
    as_of: str = AS_OF

    def of(self, amount: float) -> float:
        """Dollars for so many."""
        return amount * self.dollars / self.per


TRANSITION = Price(
    "state transition of a standard workflow", 0.025, 1_000, "https://aws.amazon.com/step-functions/pricing/"
)
GB_SECOND = Price("GB-second of Lambda on x86", 0.0000166667, 1, "https://aws.amazon.com/lambda/pricing/")
INVOCATION = Price("Lambda invocation", 0.20, 1_000_000, "https://aws.amazon.com/lambda/pricing/")
PUT = Price("PUT, POST or LIST request of S3 Standard", 0.005, 1_000, "https://aws.amazon.com/s3/pricing/")
GET = Price("GET request of S3 Standard", 0.0004, 1_000, "https://aws.amazon.com/s3/pricing/")

PRICES = (TRANSITION, GB_SECOND, INVOCATION, PUT, GET)
