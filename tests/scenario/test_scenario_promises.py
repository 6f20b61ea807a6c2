"""A promise is read from the sentence that people would sign, and refused when it cannot be measured as it stands."""

import pytest
from pydantic_core import PydanticCustomError

from harness.scenario.promises import read_promise

READ = [
    ("95% of responses within 800 ms", ("latency", 0.8, 0.95)),
    ("at least 95% of responses within 800 ms", ("latency", 0.8, 0.95)),
    ("99% of answers in under 2 s", ("latency", 2.0, 0.99)),
    ("99.9 % of requests faster than 1.5 seconds", ("latency", 1.5, 0.999)),
    ("95% of responses in no more than 2 s", ("latency", 2.0, 0.95)),
    ("p95 < 800ms", ("latency", 0.8, 0.95)),
    ("P99 below 2 s", ("latency", 2.0, 0.99)),
    ("the 99th percentile stays under 2 seconds", ("latency", 2.0, 0.99)),
    ("median below 300 ms", ("latency", 0.3, 0.5)),
    ("errors below 1%", ("errors", 0.01, 0.95)),
    ("fewer than 1% errors", ("errors", 0.01, 0.95)),
    ("error rate < 0.5%", ("errors", 0.005, 0.95)),
    ("no more than 2% of requests fail", ("errors", 0.02, 0.95)),
    ("errors never above 1%", ("errors", 0.01, 0.95)),
    ("99.9% of requests succeed", ("errors", 0.001, 0.95)),
    ("99.9% availability", ("errors", 0.001, 0.95)),
]


@pytest.mark.parametrize(("sentence", "demand"), READ, ids=[sentence for sentence, _ in READ])
def test_a_sentence_is_read_as_it_is_meant(sentence: str, demand: tuple[str, float, float]) -> None:
    """In the words of marketing and in those of IT."""
    kind, limit, share = read_promise(sentence)
    assert (kind, share) == (demand[0], demand[2])
    assert limit == pytest.approx(demand[1])


REFUSED = [
    ("fast", "95% of responses within 800 ms"),
    ("95%", "names no time"),
    ("800 ms", "how many responses"),
    ("95% within 0,8 s", "write 0.8"),
    ("95% within 1.500 ms", "write 1,500 or 1.5"),
    ("100% within 2 s", "99.9% of responses within 2 s"),
    ("no errors", "errors below 0.1%"),
    ("0% errors", "errors below 0.1%"),
    ("errors below 1", "how many errors"),
    ("errors below -1%", "how many errors"),
    ("errors above 1%", "promises errors"),
    ("errors under 60%", "promises next to nothing"),
    ("95% slower than 2 s", "promises slowness"),
    ("at most 60% slower than 2 s", "promises slowness"),
    ("average below 1 s", "promise a share"),
    ("40% within 1 s", "95% is usual"),
    ("140% of responses in 1 s", "between 0% and 100%"),
    ("95% of responses within 20 min", "800 ms is usual"),
    ("95% of responses within 0 ms", "800 ms is usual"),
    ("95% within 1 s and errors below 1%", "one promise a line"),
    ("95% within 1 s and 99% within 2 s", "one promise a line"),
]


@pytest.mark.parametrize(("sentence", "says"), REFUSED, ids=[sentence for sentence, _ in REFUSED])
def test_a_sentence_that_cannot_be_measured_is_refused_with_one_that_can(sentence: str, says: str) -> None:
    """Nothing is guessed, least of all a limit."""
    with pytest.raises(PydanticCustomError) as error:
        read_promise(sentence)
    assert says in error.value.message()
