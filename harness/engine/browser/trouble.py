"""In: what went wrong with a request. Out: `Trouble`, one of the few outcomes with a short message that never holds a URL, a value or an
address."""

from __future__ import annotations

import errno
import os
import ssl

from harness.engine.wire import Outcome

_OURS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM, errno.EADDRINUSE}
_RESET = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN, errno.ESHUTDOWN}
_REFUSED = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
LONGEST = 160


class Trouble(Exception):
    """A request failed. `outcome` is the class of the failure, `message` says more for people, bounded."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome, self.message = outcome, message[:LONGEST]
        self.sample = -1  # of the request, once one was on record


class TimedOut(BaseException):
    """The step's timeout ran out. Not an Exception: thrown by a timer into whatever the request is waiting for."""


def of_os_error(error: OSError) -> Trouble:
    """The class of a failed system call. Running out of descriptors, ports or buffers is the generator's fault, never the site's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Trouble(
            Outcome.TLS, f"certificate: {error.verify_message.partition(', certificate is not valid')[0]}"
        )  # the rest names the host
    if isinstance(error, ssl.SSLError):
        return Trouble(Outcome.TLS, f"TLS: {(error.reason or 'handshake failed').lower().replace('_', ' ')}")
    number = error.errno or 0
    words = os.strerror(number) if number else type(error).__name__
    if number in _OURS:
        return Trouble(Outcome.GENERATOR, f"this machine: {words}")
    if number in _RESET:
        return Trouble(Outcome.RESET, words)
    if number in _REFUSED:
        return Trouble(Outcome.REFUSED, words)
    if number == errno.ETIMEDOUT:
        return Trouble(Outcome.CONNECT_TIMEOUT, words)
    return Trouble(Outcome.GENERATOR, f"this machine: {words}")


def of_status(status: int) -> Outcome:
    """The class of an answer by its status alone: below 400 is fine."""
    if status < 400:
        return Outcome.OK
    if status == 429:
        return Outcome.HTTP_429
    return Outcome.HTTP_4XX if status < 500 else Outcome.HTTP_5XX
