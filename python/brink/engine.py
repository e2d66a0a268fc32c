"""Where the engine is, and calls to it that are no run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

from brink.errors import EngineError, from_engine

_BUILD_HINT = "build it with 'make build' in the source folder, or set BRINK_ENGINE to the brink-sim executable"


def module() -> ModuleType:
    """The C++ module. Raises EngineError when it is not built."""
    try:
        from brink import _engine
    except ImportError as error:
        raise EngineError(f"the module brink._engine is not built ({error}): run 'make build' in the source folder") from None
    return _engine


def find_engine() -> str:
    """Path of brink-sim: BRINK_ENGINE, else the installed one, else a source checkout's build.

    Raises EngineError when there is none.
    """
    given = os.environ.get("BRINK_ENGINE")
    if given:
        if os.access(given, os.X_OK) and Path(given).is_file():
            return given
        raise EngineError(f"BRINK_ENGINE names {given}, which is no executable file; {_BUILD_HINT}")
    package = Path(__file__).resolve().parent
    places = [package / "bin" / "brink-sim", package.parents[1] / "build" / "release" / "brink-sim"]
    for place in places:
        if os.access(place, os.X_OK):
            return str(place)
    raise EngineError(f"the engine brink-sim was not found (looked at {', '.join(map(str, places))}); {_BUILD_HINT}")


def inspect(path: str, settings: list[str], topology: bool = False) -> dict[str, Any]:
    """Layout, memory, step-time and fabric facts of a scenario file, without running it; of a cluster file its fabric.

    topology: every device and link, too. Raises ConfigError for a bad file, EngineError when the engine fails.
    """
    command = [find_engine(), "inspect", path, "--json"]
    if topology:
        command.append("--topology")
    for assignment in settings:
        command += ["--set", assignment]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts
    message = done.stderr.strip().removeprefix("error: ") or f"brink-sim inspect ended with status {done.returncode}"
    kind = "config" if done.returncode == 2 else "internal"
    raise from_engine(json.dumps({"kind": kind, "message": message}))
