"""What the demo's tests share: the figures computed by hand, and a set of tables small enough to see through."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def by_hand() -> Callable[[int], dict[str, Any]]:
    """The figures for the first so many months, computed by the straight script in a process of its own."""

    def figures(months: int) -> dict[str, Any]:
        script = Path(__file__).with_name("flights_by_hand.py")
        done = subprocess.run([sys.executable, str(script), str(months)], capture_output=True, check=True, text=True)
        return json.loads(done.stdout)  # type: ignore[no-any-return]  # the script prints one object

    return figures


FLIGHTS = """\
month,carrier,flight,tailnum,origin,dest,hour,time_hour,dep_delay,arr_delay,air_time,distance
1,AA,1,N1,JFK,BOS,6,2013-01-01T11:00:00Z,0,-5,40,187
1,AA,2,N1,JFK,BOS,21,2013-01-02T02:00:00Z,30,31,41,187
2,<b>,3,N2,EWR,LAX,6,2013-02-01T11:00:00Z,5,15,330,2454
"""
WEATHER = """\
origin,time_hour,temp,humid,wind_speed,visib
JFK,2013-01-01T11:00:00Z,40,50,4.9,10
JFK,2013-01-02T02:00:00Z,40,50,25,10
EWR,2013-02-01T11:00:00Z,NA,NA,NA,10
"""
OTHERS = {
    "airlines": "carrier,name\nAA,American\n<b>,Bold & <script>\n",
    "airports": "faa,name\nBOS,Boston\nLAX,Los Angeles\n",
    "planes": "tailnum,seats\nN1,100\nN2,200\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small, flawless set of tables."""
    for name, text in {"flights": FLIGHTS, "weather": WEATHER, **OTHERS}.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path
