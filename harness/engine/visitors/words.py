"""In: text with `{{ variables }}`. Out: `Words`, a function from a visitor to that text, and the values that every visitor has from the
start."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.engine.browser.trouble import Trouble
from harness.engine.wire import Outcome
from harness.scenario.templates import TEMPLATE

if TYPE_CHECKING:
    from harness.engine.visitors.users import Visitor

Words = Callable[["Visitor"], str]

_MASK = (1 << 64) - 1


def scramble(value: int) -> int:
    """64 bits as good as random from any integer (splitmix64's finaliser, Steele, Lea and Flood 2014)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


@lru_cache(maxsize=8)
def _of_seed(seed: int) -> int:
    """All visitors of a run have the same."""
    return scramble(seed & _MASK)


class Dice:
    """A visitor's own randomness, seeded by (run's seed, visitor's number): 8 bytes of state where random.Random has 2,500."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, number: int) -> None:
        self._state = scramble(_of_seed(seed) ^ (number & _MASK))

    def random(self) -> float:
        """Uniform in [0, 1), 53 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        return (scramble(self._state) >> 11) * 2.0**-53


def of_visitor(name: str, seed: int, number: int) -> str:
    """A value that visitor `number` of a run has from the start; addresses are under example.com (RFC 2606), where no mail can arrive."""
    tag = f"{scramble(_of_seed(seed) + number) & 0xFFFFFFFFFFFF:012x}"
    match name:
        case "visitor.number":
            return str(number)
        case "visitor.id":
            return tag
        case "visitor.name":
            return f"Visitor {number}"
        case "visitor.email":
            return f"visitor-{number}-{tag[:6]}@example.com"
        case _:
            raise KeyError(name)


def compile_words(text: str, encode: Callable[[str], str] = str) -> str | Words:
    """Text without variables as it is; otherwise a function. `encode` is applied to the values of variables, not to the text around
    them."""
    pieces = TEMPLATE.split(text)
    if len(pieces) == 1:
        return text
    fixed, names = pieces[0::2], [name.strip() for name in pieces[1::2]]

    def fill(visitor: Visitor) -> str:
        parts = [fixed[0]]
        for name, after in zip(names, fixed[1:], strict=True):
            parts.append(encode(value_of(visitor, name)))
            parts.append(after)
        return "".join(parts)

    return fill


def value_of(visitor: Visitor, name: str) -> str:
    """A variable's value for this visitor. Raises `Trouble` CHECK_FAILED when nothing has set it."""
    found = visitor.variables.get(name)
    if found is not None:
        return found
    try:
        return of_visitor(name, visitor.crew.seed, visitor.number)
    except KeyError:
        raise Trouble(Outcome.CHECK_FAILED, f"there is no value for {name}") from None
