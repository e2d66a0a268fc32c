"""Counts the skipped tests of a run and fails when one was skipped for want of data that is there.

Usage: report_skipped.py RESULTS_FOLDER (with ctest.xml and pytest.xml)
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

GTEST_SKIP = re.compile(r"^\[  SKIPPED \] (\S+) \(\d+ ms\)$", re.MULTILINE)
# GTEST_SKIP prints "<file>:<line>: Skipped" and its message on the lines below.
GTEST_REASON = re.compile(r": Skipped\n(.*?)\n\n?(?=\[|\Z)", re.DOTALL)
NEEDS_DATA = re.compile(r"shared.?data", re.IGNORECASE)


def ctest_skips(case: ElementTree.Element) -> list[tuple[str, str]]:
    """(test, reason) of what a ctest case, one Google Test executable or test, skipped."""
    output = case.findtext("system-out") or ""
    names = GTEST_SKIP.findall(output)
    reasons = GTEST_REASON.findall(output)
    return [(name, reasons[i].strip() if i < len(reasons) else "") for i, name in enumerate(names)]


def pytest_skips(case: ElementTree.Element) -> list[tuple[str, str]]:
    return [(f"{case.get('classname')}.{case.get('name')}", skip.get("message") or "") for skip in case.iter("skipped")]


def read_skips(results: Path) -> list[tuple[str, str]]:
    skips: list[tuple[str, str]] = []
    for name, read in (("ctest.xml", ctest_skips), ("pytest.xml", pytest_skips)):
        path = results / name
        if not path.exists():
            raise SystemExit(f"report_skipped: {path} is missing: {name.removesuffix('.xml')} did not run to its end")
        for case in ElementTree.parse(path).iter("testcase"):
            skips += read(case)
    return skips


def main() -> int:
    skips = read_skips(Path(sys.argv[1]))
    print(f"\nskipped tests: {len(skips)}")
    for name, reason in skips:
        print(f"  {name}: {' '.join(reason.split())}")
    data = os.environ.get("BRINK_SHARED_DATA")
    if not data or not Path(data).is_dir():
        return 0
    wrong = [name for name, reason in skips if NEEDS_DATA.search(reason)]
    for name in wrong:
        print(f"error: {name} was skipped for want of the shared data, which is at {data}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
