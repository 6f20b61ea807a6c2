"""In: `Result`. Out: junit.xml, one case a promise: broken is a failure, unclear is an error (nothing was proved), kept passes. Pure."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from harness.report import details, words
from harness.result import PromisePart, Result

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(result: Result) -> str:
    """The whole file. `time` is the load's seconds, on the suite."""
    cases = result.promises
    suite = ElementTree.Element(
        "testsuite",
        name=_legal(f"surge: {result.scenario.name}"),
        tests=str(len(cases)),
        failures=str(sum(case.verdict == "broken" for case in cases)),
        errors=str(sum(case.verdict == "unclear" for case in cases)),
        skipped="0",
        time=f"{result.run.seconds:.3f}",
        timestamp=_legal(result.run.started),
    )
    for promise in cases:
        case = ElementTree.SubElement(
            suite, "testcase", classname=_legal(f"surge.{result.scenario.type}"), name=_legal(promise.text), time="0"
        )
        if promise.verdict == "broken":
            _say(case, "failure", "broken promise", _evidence(result, promise), result)
        elif promise.verdict == "unclear":
            _say(case, "error", "inconclusive", _evidence(result, promise), result)
    ElementTree.SubElement(suite, "system-out").text = _legal(f"{words.headline(result)}\n{words.confidence(result)}")
    root = ElementTree.Element("testsuites", name="surge")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _evidence(result: Result, promise: PromisePart) -> str:
    return f"target {details.target(promise)}, measured {details.measured(promise)}; first broken: {details.first_broken(result, promise)}"


def _say(case: ElementTree.Element, tag: str, kind: str, message: str, result: Result) -> None:
    element = ElementTree.SubElement(case, tag, type=kind, message=_legal(message))
    element.text = _legal("\n".join([words.headline(result), *(f"{doubt.text} {doubt.remedy}" for doubt in result.doubts)]))


def _legal(text: str) -> str:
    """Without the characters that no XML may hold, escaped or not."""
    return _FORBIDDEN.sub("�", text)
