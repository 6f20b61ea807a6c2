"""In: `Window`s. Out: the next arrival rate, and in the end the breaking point: a pure state machine, led by `search.Search`."""

from harness.analysis.search.order import Order
from harness.analysis.search.profile import FULL, PROFILES, QUICK, Profile
from harness.analysis.search.search import Search

__all__ = ["FULL", "PROFILES", "QUICK", "Order", "Profile", "Search"]
