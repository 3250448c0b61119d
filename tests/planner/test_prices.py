"""Prices: one table, dated, with a source for each."""

from __future__ import annotations

import re

import pytest

from solidstate.planner.prices import GB_SECOND, GET, INVOCATION, PRICES, PUT, TRANSITION, Price


def test_every_price_has_a_date_and_a_page() -> None:
    """Of the service itself."""
    for price in PRICES:
        assert re.fullmatch(r"20\d\d-\d\d", price.as_of)
        assert re.fullmatch(r"https://aws\.amazon\.com/[a-z0-9-]+/pricing/", price.source)
        assert price.dollars > 0
        assert price.per > 0


@pytest.mark.parametrize(
    ("price", "amount", "dollars"),
    [(TRANSITION, 1e6, 25), (GB_SECOND, 1e6, 16.6667), (INVOCATION, 1e6, 0.2), (PUT, 1e6, 5), (GET, 1e6, 0.4)],
    ids=["transition", "GB-second", "invocation", "PUT", "GET"],
)
def test_a_million_costs_what_people_know(price: Price, amount: float, dollars: float) -> None:
    """In the units the pages have them in, a slipped digit would not show."""
    assert price in PRICES
    assert price.of(amount) == pytest.approx(dollars)
