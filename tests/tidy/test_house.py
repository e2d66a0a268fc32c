"""The rules of the house that a compiler does not check: who may include whom, sizes, words.

Every check is a function from a file's text to what is wrong with it, so that each is itself
tested on a text that breaks it.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Levels of the rooms: a file may include its own room and rooms of lower levels.
LEVELS = {
    "models/base": 0,
    "models/transformer": 1,
    "models/gpu": 1,
    "models/fabric": 1,
    "models/plan": 2,
    "models/cost": 2,
    "models/drift": 2,
    "models/memory": 2,
    "sim/policy": 3,
    "sim/workload": 3,
    "sim/world": 4,
    "sim/serving": 4,
    "sim/conditions": 4,
    "sim/telemetry": 5,
    "sim/scenario": 5,
    "sim/app": 6,
    "python": 7,
}
# Beyond the levels: rooms that may use a room of their own level, and rooms that may use less.
SAME_LEVEL = {
    ("models/plan", "models/cost"),
    ("sim/conditions", "sim/serving"),
    ("sim/serving", "sim/world"),
    ("sim/conditions", "sim/world"),
    ("sim/scenario", "sim/telemetry"),
}
HIGHEST_LEVEL_USED = {"calibrate": 2, "sim/workload": 0}
EVERYTHING = 99

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
SOURCE = (".h", ".cpp", ".cu", ".cuh")
CODE = (*SOURCE, ".py", ".cmake", ".sh")

# Split so that this file does not break its own rule.
FORBIDDEN_WORDS = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "place" + "holder"]) + r")\b"
    r"|\b(not " + "implemented|for " + r"now)\b",
    re.IGNORECASE,
)
MACHINE_PATHS = re.compile(r"""(?<![\w.$}\])/-])/(work|root|tmp|home)/""")
# Names of models, engine runs and workloads: a profile and the code that makes it describe a
# machine, whatever runs on it.
FITTED_TO = re.compile(
    r"(?<![a-z])(llama|qwen|mixtral|codellama|yi-|deepseek|mistral|glm-)|\b(general|roleplay|codegen)\b", re.IGNORECASE
)


def tracked(*suffixes: str) -> list[Path]:
    """Files of the repository, the new ones included, build outputs not."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        names = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):  # a source archive
        skipped = {"build", ".venv", "out", ".git"}
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*") if not skipped & set(p.relative_to(ROOT).parts)]
    return [Path(name) for name in sorted(names) if name.endswith(suffixes) and (ROOT / name).is_file()]


def read(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def room_of(path: str) -> str | None:
    """The room a file or an include belongs to; None for what is in no room (tests, std headers)."""
    rooms = [room for room in (*LEVELS, "calibrate", "kernels") if path.startswith(room + "/")]
    return max(rooms, key=len) if rooms else None


def wrong_includes(path: str, text: str) -> Iterator[str]:
    room = room_of(path)
    if room is None:
        return
    for line, name in re.findall(r'^([ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"].*)$', text, re.MULTILINE):
        if name.startswith("simgrid/") and room != "sim/world":
            yield f"{path}: only sim/world may include SimGrid: {line.strip()}"
        if name.startswith("nlohmann/") and room != "models/base":
            yield f"{path}: only models/base may include nlohmann: {line.strip()}"
        target = room_of(name)
        if target is not None and target != room and not may_include(path, room, target):
            yield f"{path}: {room} may not include {target}: {line.strip()}"


def may_include(path: str, room: str, target: str) -> bool:
    if room == "kernels" or target == "kernels":
        return False
    if room == "calibrate":
        level = EVERYTHING if path.startswith("calibrate/app/") else HIGHEST_LEVEL_USED[room]
        return LEVELS[target] <= level
    if target == "calibrate":
        return LEVELS[room] >= LEVELS["sim/app"]
    if (room, target) in SAME_LEVEL:
        return True
    return LEVELS[target] < LEVELS[room] and LEVELS[target] <= HIGHEST_LEVEL_USED.get(room, EVERYTHING)


def without_comments_and_strings(text: str) -> str:
    """C++ with comments, strings and characters blanked out, line for line."""
    pattern = re.compile(
        r'R"([^()\s\\]*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
        re.DOTALL,
    )
    return pattern.sub(lambda match: "\n" * match.group(0).count("\n"), text)


def long_functions(path: str, text: str) -> Iterator[str]:
    """Functions over the limit: a brace that opens after a closing parenthesis opens one."""
    code = without_comments_and_strings(text)
    opened: list[tuple[int, bool]] = []
    inside = 0  # of how many functions; a lambda belongs to the function around it
    for match in re.finditer(r"[{}]", code):
        line = code.count("\n", 0, match.start()) + 1
        if match.group() == "{":
            before = code[: match.start()].rstrip()[-200:]
            starts = inside == 0 and re.search(r"\)\s*(const|noexcept|override|final|->[^;{}]+|:\s[^;]*)*\s*$", before)
            opened.append((line, bool(starts)))
            inside += bool(starts)
        elif opened:
            start, was_function = opened.pop()
            inside -= was_function
            if was_function and line - start + 1 > FUNCTION_LINES_MAX:
                yield f"{path}:{start}: a function of {line - start + 1} lines (at most {FUNCTION_LINES_MAX})"


def matches(path: str, text: str, pattern: re.Pattern[str], why: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        for match in pattern.finditer(line):
            yield f"{path}:{number}: {why}: {match.group(0)!r}"


def too_long(path: str, text: str) -> Iterator[str]:
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{path}: {lines} lines (at most {FILE_LINES_MAX}; split it by idea)"


def report(problems: list[str]) -> None:
    assert not problems, "\n" + "\n".join(problems)


def test_rooms_include_only_lower_levels() -> None:
    report([p for f in tracked(*SOURCE) for p in wrong_includes(str(f), read(f))])


def test_every_room_has_a_level() -> None:
    folders = {str(f.parent) for f in tracked(*SOURCE) if f.parts[0] in ("models", "sim")}
    report([f"{folder}: no level in {Path(__file__).name}" for folder in sorted(folders) if room_of(folder + "/") is None])


def test_files_are_short() -> None:
    report([p for f in tracked(*CODE) for p in too_long(str(f), read(f))])


def test_functions_are_short() -> None:
    product = [f for f in tracked(".h", ".cpp") if f.parts[0] != "tests"]  # a test may hold a long table
    report([p for f in product for p in long_functions(str(f), read(f))])


def test_nothing_is_left_undone() -> None:
    report([p for f in tracked(*CODE, ".md") for p in matches(str(f), read(f), FORBIDDEN_WORDS, "left undone")])


def test_no_path_of_one_machine() -> None:
    report([p for f in tracked(*CODE, ".md", ".json", ".toml", ".txt") for p in matches(str(f), read(f), MACHINE_PATHS, "a path of one machine")])


def test_calibration_knows_no_model_and_no_workload() -> None:
    fitted = [f for f in tracked(*CODE, ".json") if f.parts[0] == "calibrate" or f.parts[:2] == ("configs", "profiles")]
    report([p for f in fitted for p in matches(str(f), read(f), FITTED_TO, "names what it was measured with")])


@pytest.mark.parametrize(
    ("path", "include"),
    [
        ("models/base/a.h", '#include "models/gpu/b.h"'),
        ("models/cost/a.h", '#include "models/plan/b.h"'),
        ("models/gpu/a.cpp", '#include "models/transformer/b.h"'),
        ("models/gpu/a.cpp", "#include <nlohmann/json.hpp>"),
        ("sim/policy/a.cpp", '#include "sim/world/b.h"'),
        ("sim/serving/a.cpp", "#include <simgrid/s4u.hpp>"),
        ("sim/serving/a.cpp", '#include "sim/conditions/b.h"'),
        ("sim/workload/a.cpp", '#include "models/gpu/b.h"'),
        ("sim/scenario/a.cpp", '#include "calibrate/b.h"'),
        ("calibrate/a.cpp", '#include "sim/policy/b.h"'),
        ("kernels/hbm/a.cu", '#include "models/base/b.h"'),
    ],
)
def test_the_include_check_finds(path: str, include: str) -> None:
    assert list(wrong_includes(path, include))


@pytest.mark.parametrize(
    ("path", "include"),
    [
        ("models/gpu/a.cpp", '#include "models/base/b.h"'),
        ("models/gpu/a.cpp", '#include "models/gpu/b.h"'),
        ("models/base/a.cpp", "#include <nlohmann/json.hpp>"),
        ("sim/world/a.cpp", "#include <simgrid/s4u.hpp>"),
        ("sim/serving/a.cpp", '#include "sim/world/b.h"'),
        ("calibrate/app/a.cpp", '#include "sim/scenario/b.h"'),
        ("python/engine/a.cpp", '#include "calibrate/b.h"'),
    ],
)
def test_the_include_check_accepts(path: str, include: str) -> None:
    assert not list(wrong_includes(path, include))


def test_the_function_check_counts_lines() -> None:
    body = "  int x = 0; // }\n" * (FUNCTION_LINES_MAX - 2)
    assert not list(long_functions("a.cpp", f"int f() {{\n{body}}}\n"))
    long = f"namespace n {{\nint f(int a) const {{\n{body}  int y;\n}}\n}}\n"
    assert list(long_functions("a.cpp", long)) == [f"a.cpp:2: a function of {FUNCTION_LINES_MAX + 1} lines (at most {FUNCTION_LINES_MAX})"]
    assert not list(long_functions("a.h", f"class C {{\n{body}  int y;\n}};\n"))
    assert not list(long_functions("a.cpp", 'void f() {\n  g(R"({{{)", "{", \'{\');\n}\n' + "\n" * 100))


def test_the_word_and_path_checks_find() -> None:
    undone = "to" + "do"
    assert list(matches("a", f"// {undone}: x", FORBIDDEN_WORDS, ""))
    assert list(matches("a", 'open("' + "/tmp" + '/x")', MACHINE_PATHS, ""))
    assert not list(matches("a", "build/tmp/x $HOME/work/x", MACHINE_PATHS, ""))
    assert list(matches("a", "fit_" + "Llama_8b", FITTED_TO, "")) and list(matches("a", "the general workload", FITTED_TO, ""))
    assert not list(matches("a", "generally", FITTED_TO, ""))
    assert list(too_long("a", "\n" * 501)) and not list(too_long("a", "\n" * 500))
