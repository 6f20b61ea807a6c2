"""In: `check` and `extract` of a step. Out: a judge of its answers, and what it takes from them, as plain functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from harness.engine.browser.client import Answer, judge_status
from harness.engine.browser.trouble import Trouble, of_status
from harness.engine.wire import Outcome
from harness.scenario.model import Check, Extract
from harness.scenario.templates import json_path

Judge = Callable[[Answer], Trouble | None]


def needs_body(check: Check | None, extract: tuple[Extract, ...]) -> bool:
    """Whether anybody will read the body. If not, it is counted and forgotten."""
    return any(e.source != "header" for e in extract) or (check is not None and bool(check.contains or check.lacks or check.matches))


def compile_judge(check: Check | None) -> Judge:
    """What an answer must be: below 400 or one of `status`, and then the words of the page."""
    if check is None:
        return judge_status
    contains, lacks, status = check.contains, check.lacks, frozenset(check.status)
    matches = re.compile(check.matches) if check.matches else None

    def judge(answer: Answer) -> Trouble | None:
        if status:
            if answer.status not in status:
                wrong = of_status(answer.status)
                return Trouble(Outcome.CHECK_FAILED if wrong is Outcome.OK else wrong, f"status {answer.status} was not expected")
        elif answer.status >= 400:
            return Trouble(of_status(answer.status), f"status {answer.status}")
        if not (contains or lacks or matches):
            return None
        text = answer.text
        for words in contains:
            if words not in text:
                return Trouble(Outcome.CHECK_FAILED, f"the answer does not contain {words[:80]!r}")
        for words in lacks:
            if words in text:
                return Trouble(Outcome.CHECK_FAILED, f"the answer contains {words[:80]!r}")
        if matches is not None and matches.search(text) is None:
            return Trouble(Outcome.CHECK_FAILED, f"the answer does not match {matches.pattern[:80]!r}")
        return None

    return judge


def compile_extract(extract: Extract) -> Callable[[Answer], str | None]:
    """What one variable is taken from; None when it is not there."""
    if extract.source == "header":
        return lambda answer: answer.header(extract.expression)
    if extract.source == "regex":
        pattern = re.compile(extract.expression)

        def by_pattern(answer: Answer) -> str | None:
            found = pattern.search(answer.text)
            return None if found is None else (found[1] if pattern.groups else found[0])

        return by_pattern
    path = json_path(extract.expression)

    def by_path(answer: Answer) -> str | None:
        try:
            value: Any = json.loads(answer.text)
            for part in path:
                value = value[part]
        except (ValueError, LookupError, TypeError, RecursionError):
            return None
        if value is None:
            return None
        return value if isinstance(value, str) else json.dumps(value)

    return by_path


def compile_extracts(extracts: tuple[Extract, ...], judge: Judge) -> Judge:
    """A judge that also wants every variable to be there, and leaves their values in `answer.taken`."""
    if not extracts:
        return judge
    takers = tuple((e, compile_extract(e)) for e in extracts)

    def judge_both(answer: Answer) -> Trouble | None:
        trouble = judge(answer)
        if trouble is not None:
            return trouble
        answer.taken = {}
        for extract, take in takers:
            value = take(answer)
            if value is None:
                return Trouble(Outcome.CHECK_FAILED, f"nothing to extract for {extract.name}: {extract.source} {extract.expression[:60]}")
            answer.taken[extract.name] = value
        return None

    return judge_both
