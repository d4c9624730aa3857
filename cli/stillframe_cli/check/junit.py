"""The results as JUnit XML, which continuous integration shows.

One suite, a test case for each page. There is no standard; this is what Jenkins, GitLab and GitHub's reporters read
(https://github.com/testmoapp/junitxml).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from .page_check import CheckStatus, PageCheck

SUITE = "stillframe check"
# What XML 1.0 cannot hold (2.2).
NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(checks: Sequence[PageCheck]) -> bytes:
    """The results as a file. What changed or is new is a failure, what could not be captured an error."""
    failures = sum(check.status in (CheckStatus.CHANGED, CheckStatus.NEW) for check in checks)
    counts = {
        "tests": str(len(checks)),
        "failures": str(failures),
        "errors": str(sum(check.status is CheckStatus.FAILED for check in checks)),
        "time": f"{sum(check.seconds for check in checks):.3f}",
    }
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": SUITE, **counts})
    for check in checks:
        attributes = {"name": _text(check.url), "classname": check.name, "time": f"{check.seconds:.3f}"}
        case = ET.SubElement(suite, "testcase", attributes)
        if check.status is not CheckStatus.SAME:
            kind = "error" if check.status is CheckStatus.FAILED else "failure"
            found = ET.SubElement(case, kind, {"message": _text(check.summary), "type": check.status.value})
            found.text = _text("\n".join([check.summary, *check.details]))
    ET.indent(suites)
    content: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _text(text: str) -> str:
    return NOT_XML.sub("�", text)
