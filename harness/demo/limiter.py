"""In: the moment at which a request arrives. Out: whether a token bucket lets it through. Takes the clock as an argument."""

from __future__ import annotations


class TokenBucket:
    """Starts full with `burst` tokens and gains `rate` a second."""

    def __init__(self, *, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, float(burst)
        self._tokens, self._last = float(burst), 0.0
        self.refused = 0

    def take(self, now: float) -> bool:
        """One token, if there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        return True
