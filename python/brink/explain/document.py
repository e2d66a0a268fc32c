"""An explanation as JSON: what `--json` prints and explain.json holds."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from brink.explain.explanation import Explanation
from brink.explain.intervals import LEVEL
from brink.explain.paragraph import paragraph
from brink.result import EXPLANATION

EXPLAIN_FILE = EXPLANATION


def document(found: Explanation) -> dict[str, Any]:
    """JSON values; intervals are [mean, low, high]."""
    return {
        "name": found.name,
        "regimes": found.regimes,
        "pushes": [push.to_dict() for push in found.pushes],
        "cascades": [row.to_dict() for row in found.cascades],
        "counterfactuals": _tests(found),
        "paragraph": paragraph(found),
    }


def _tests(found: Explanation) -> dict[str, Any] | None:
    if found.runs is None or found.found is None:
        return None
    return {
        "seeds": found.runs.seeds, "runs": found.runs.runs, "level": LEVEL, "other_than_the_run": found.other,
        "untested": [cause.to_dict() for cause in found.untested],
    } | found.found.to_dict()


def text(found: Explanation) -> str:
    """The document as JSON text."""
    return json.dumps(document(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write(found: Explanation, folder: Path) -> Path:
    """Writes explain.json, whole or not at all, beside the run's results."""
    path = folder / EXPLAIN_FILE
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, prefix=f".{EXPLAIN_FILE}.", delete=False) as file:
        file.write(text(found))
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
    return path
