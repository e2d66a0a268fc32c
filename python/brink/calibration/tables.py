"""The tables that `brink-calibrate` reads, written from measurements of other tools."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from brink.errors import ConfigError, TraceError

GEMM = ["kernel_source", "gemm_dtype", "m", "n", "k", "latency"]
ATTENTION = ["kernel_source", "batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim",
             "attn_dtype", "kv_cache_dtype", "step", "window_size", "latency"]
CUSTOM = ["num_gpus", "message_bytes", "backend", "latency_us"]
NCCL = ["op", "num_gpus", "message_bytes", "latency_us"]

# Where each table lies in the folder, and its columns.
_PLACES = {
    "gemm": ("kernels/gemm.csv", GEMM),
    "attention_decode": ("kernels/attention_decode.csv", ATTENTION),
    "attention_prefill": ("kernels/attention_prefill.csv", ATTENTION),
    "custom_all_reduce": ("collectives/custom_all_reduce.csv", CUSTOM),
    "nccl": ("collectives/nccl.csv", NCCL),
}
NEEDED = ("gemm", "attention_decode", "attention_prefill")


@dataclass
class Tables:
    """Measured kernel times of one GPU. Latencies of kernels in ms, of collectives in us."""

    origin: str  # the tool and the selection, for provenance
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    sources: dict[str, Path] = field(default_factory=dict)  # the file behind each table
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, frame: pd.DataFrame, source: Path) -> None:
        """Keeps the rows with a positive, finite latency and the first of equal coordinates."""
        place, columns = _PLACES[name]
        frame = frame[columns]
        latency = columns[-1]
        usable = frame[(frame[latency] > 0) & (frame[latency] < float("inf"))]
        if dropped := len(frame) - len(usable):
            self.notes.append(f"{name}: {dropped} rows without a positive latency left out")
        self.frames[name] = usable.drop_duplicates(columns[:-1], keep="first")
        self.sources[name] = source

    def write(self, folder: Path, facts: Sequence[tuple[str, float, str]]) -> None:
        """Writes the tables, ``facts`` as (what, value, unit) and provenance.json.

        Raises ConfigError when a table that every profile needs has no row.
        """
        for name in NEEDED:
            if name not in self.frames or self.frames[name].empty:
                found = ", ".join(sorted(n for n, f in self.frames.items() if not f.empty)) or "nothing"
                raise ConfigError("", f"no {name} rows in {self.origin} (found: {found})", "choose a selection that has them")
        for name, frame in self.frames.items():
            path = folder / _PLACES[name][0]
            path.parent.mkdir(parents=True, exist_ok=True)
            frame.to_csv(path, index=False)
        (folder / "facts").mkdir(parents=True, exist_ok=True)
        pd.DataFrame(facts, columns=["what", "value", "unit"]).to_csv(folder / "facts" / "facts.csv", index=False)
        (folder / "provenance.json").write_text(json.dumps(self.provenance(), indent=1) + "\n", encoding="utf-8")

    def provenance(self) -> dict[str, Any]:
        """What the tables were made from, for the profile."""
        return {
            "imported_from": self.origin,
            "tables": {name: {"file": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
                              "rows": len(self.frames[name])} for name, source in self.sources.items()},
            "notes": self.notes,
        }


def read_table(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    """A parquet file, or comma-separated text of any name, that has ``columns``. Raises TraceError."""
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"version https://git-lfs"):
        raise TraceError(f"{path}: a Git LFS pointer without its content: run 'git lfs pull' in that checkout, or use the installed package")
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise TraceError(f"{path}: cannot be read as a table: {error}") from None
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        near = difflib.get_close_matches(missing[0], [str(c) for c in frame.columns], n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise TraceError(f"{path}: the columns {', '.join(missing)} are missing{hint} It has: {', '.join(map(str, frame.columns))}")
    return frame


def common_grid(gemm: pd.DataFrame, most: int = 80) -> pd.DataFrame:
    """GEMM rows at the row counts that nearly every shape has, at most ``most`` of them.

    A surface needs every shape at every m; some tools sweep m differently for each model.
    """
    unique = gemm.drop_duplicates(["gemm_dtype", "m", "n", "k"])
    shapes = unique.groupby(["gemm_dtype", "n", "k"]).ngroups
    counts = unique.groupby("m").size()
    grid = sorted(counts[counts >= 0.9 * shapes].index)
    if len(grid) > most:  # evenly over the logarithm
        wanted = [grid[0] * (grid[-1] / grid[0]) ** (i / (most - 1)) for i in range(most)]
        grid = sorted({min(grid, key=lambda m, w=w: abs(m - w)) for w in wanted})  # type: ignore[misc]
    return gemm[gemm["m"].isin(grid)]


def choose(what: str, wanted: str, available: Iterable[str], where: Path) -> str:
    """``wanted`` if it is available. Raises ConfigError with the nearest name and all others."""
    names = sorted(set(available))
    if wanted in names:
        return wanted
    if not names:
        raise ConfigError("", f"no {what} at all", "give a folder that holds measurements", str(where))
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise ConfigError("", f"{what} '{wanted}'", f"{hint}available: {', '.join(names)}", str(where))


def newest(versions: Iterable[str]) -> str:
    """The highest version number; numbers compare as numbers, and a release candidate is older."""
    def key(version: str) -> tuple[list[int], int, int]:
        release, _, candidate = version.partition("rc")
        return ([int(part) for part in release.split(".") if part.isdigit()], 0 if candidate else 1,
                int(candidate) if candidate.isdigit() else 0)

    return max(versions, key=key)
