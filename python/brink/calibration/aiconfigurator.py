"""Kernel tables of NVIDIA AIConfigurator: an installed package or a checkout.

Its measurements lie under ``systems/data/SYSTEM``, either by kind (``gemm/vllm/0.24.0/gemm_perf.parquet``)
or, in older releases, by engine (``vllm/0.12.0/gemm_perf.txt``); ``reuse.yaml`` beside a missing table
names the version whose table stands for it. Latencies are milliseconds; messages of collectives
count elements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brink.calibration.tables import ATTENTION, GEMM, Tables, choose, newest, read_table
from brink.errors import ConfigError, TraceError

_ROOTS = ("", "systems", "aiconfigurator_core/systems", "aiconfigurator/systems", "src/aiconfigurator/systems",
          "src/aiconfigurator_core/systems", "aic-core/src/aiconfigurator_core/systems", "../aiconfigurator_core/systems")
_SUFFIXES = (".parquet", ".csv", ".txt")
_ITEM_BYTES = {"half": 2, "float16": 2, "bfloat16": 2, "float32": 4, "int8": 1, "fp8": 1}
_TYPES = {"float16": "bfloat16", "half": "bfloat16"}  # the same tensor-core rate and bytes


@dataclass(frozen=True)
class Found:
    """One measured table: of an engine (or a library) and its version."""

    engine: str
    version: str
    path: Path


def systems_folder(folder: Path) -> Path:
    """The ``systems`` folder of a package, a checkout or the folder itself. Raises ConfigError."""
    for root in _ROOTS:
        place = folder / root
        if (place / "data").is_dir() and any(place.glob("*.yaml")):
            return place.resolve()
    raise ConfigError("", "no systems/data folder", "give an installed aiconfigurator package, a checkout, or its systems folder", str(folder))


def find(data: Path, table: str) -> list[Found]:
    """Every measured version of a table, reused ones included, sorted."""
    found = {(p.parent.parent.name, p.parent.name): p for suffix in _SUFFIXES for p in data.rglob(table + suffix)}
    for reuse in data.rglob("reuse.yaml"):
        key = (reuse.parent.parent.name, reuse.parent.name)
        donor = _reused(reuse, table)
        path = found.get((key[0], donor)) if donor else None
        if path is not None:
            found.setdefault(key, path)
    return [Found(engine, version, path) for (engine, version), path in sorted(found.items())]


def _reused(path: Path, table: str) -> str | None:
    """The version that ``reuse.yaml`` names for a table: a list of flat mappings."""
    name = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if entry := re.match(r"\s*-\s*table:\s*['\"]?([\w.]+)", line):
            name = entry[1]
        elif (entry := re.match(r"\s*from_version:\s*['\"]?([\w.+-]+)", line)) and name == table:
            return entry[1]
    return None


def read(folder: Path, system: str, engine: str = "vllm", version: str | None = None) -> Tables:
    """The tables of one GPU type and engine version (the newest that has GEMM and attention).

    Raises ConfigError for an unknown system, engine or version (with the nearest name) and
    TraceError for a table that cannot be used.
    """
    systems = systems_folder(folder)
    data = systems / "data"
    data /= choose("system", system, (p.name for p in data.iterdir() if p.is_dir()), data)
    by_name = {table: find(data, f"{table}_perf") for table in
               ("gemm", "context_attention", "generation_attention", "custom_allreduce", "nccl")}
    choose("engine", engine, (f.engine for f in by_name["gemm"]), data)
    complete = set.intersection(*({f.version for f in by_name[t] if f.engine == engine} for t in ("gemm", "context_attention", "generation_attention")))
    if version is None and not complete:
        raise ConfigError("", f"no version of {engine} with GEMM and attention tables", "choose another engine or system", str(data))
    chosen = choose("version", version or newest(complete), complete, data)
    tables = Tables(f"AIConfigurator {system}, {engine} {chosen}")
    _add_kernels(tables, {t: _pick(by_name[t], engine, chosen) for t in ("gemm", "context_attention", "generation_attention")})
    custom = [f for f in by_name["custom_allreduce"] if f.engine == engine]
    if custom:
        _add_custom(tables, _nearest(custom, chosen).path)
    if by_name["nccl"]:
        _add_nccl(tables, _nearest(by_name["nccl"], "").path)
    return tables


def _pick(found: list[Found], engine: str, version: str) -> Path:
    return next(f.path for f in found if (f.engine, f.version) == (engine, version))


def _nearest(found: list[Found], version: str) -> Found:
    same = [f for f in found if f.version == version]
    return same[0] if same else next(f for f in found if f.version == newest(x.version for x in found))


def _add_kernels(tables: Tables, paths: dict[str, Path]) -> None:
    gemm = read_table(paths["gemm"], GEMM[1:])
    gemm = gemm.assign(kernel_source=gemm.get("kernel_source", "unknown"), gemm_dtype=gemm["gemm_dtype"].replace(_TYPES))
    kept = gemm[gemm["gemm_dtype"].isin(["bfloat16", "fp8"])]
    # Block-scaled FP8 is launched eagerly in these tables: it times the host (docs/model/kernel-cost.md).
    tables.notes.append(f"gemm: {len(gemm) - len(kept)} rows of other types left out")
    tables.add("gemm", kept, paths["gemm"])
    for name, table in (("attention_prefill", "context_attention"), ("attention_decode", "generation_attention")):
        tables.add(name, _attention(read_table(paths[table], ["batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim",
                                                              "kv_cache_dtype", "latency"]), paths[table], tables), paths[table])


def _attention(frame: pd.DataFrame, path: Path, tables: Tables) -> pd.DataFrame:
    """Full attention of the kernel most rows were measured with: one kernel, one law."""
    defaults = {"kernel_source": "unknown", "attn_dtype": "bfloat16", "step": 0, "window_size": 0}
    frame = frame.assign(**{column: frame[column] if column in frame else value for column, value in defaults.items()})
    frame = frame.assign(kv_cache_dtype=frame["kv_cache_dtype"].replace(_TYPES), attn_dtype=frame["attn_dtype"].replace(_TYPES))
    full = frame[(frame["window_size"].fillna(0) == 0) & frame["kv_cache_dtype"].isin(["bfloat16", "fp8"]) & (frame["attn_dtype"] == "bfloat16")]
    # A count of zero stands for as many KV heads as query heads.
    kv_heads = full["num_key_value_heads"].where(full["num_key_value_heads"] > 0, full["num_heads"])
    full = full.assign(num_key_value_heads=kv_heads)
    if full.empty:
        raise TraceError(f"{path}: no rows of full 16-bit attention")
    kernel = full["kernel_source"].value_counts().idxmax()
    tables.notes.append(f"{path.stem}: kernel {kernel}; {int((full['kernel_source'] != kernel).sum())} rows of other kernels left out")
    chosen = full[full["kernel_source"] == kernel]
    integers = {column: "int64" for column in ATTENTION if column not in ("kernel_source", "attn_dtype", "kv_cache_dtype", "latency")}
    return chosen.astype(integers)


def _bytes(frame: pd.DataFrame, column: str, path: Path) -> pd.Series:
    unknown = set(frame[column]) - set(_ITEM_BYTES)
    if unknown:
        raise TraceError(f"{path}: {column}: got {', '.join(sorted(map(str, unknown)))}; {', '.join(_ITEM_BYTES)}")
    return frame["message_size"].astype("int64") * frame[column].map(_ITEM_BYTES)


def _add_custom(tables: Tables, path: Path) -> None:
    frame = read_table(path, ["allreduce_dtype", "num_gpus", "message_size", "latency"])
    kind = frame.get("backend", frame.get("kernel_source", pd.Series("", index=frame.index))).astype(str)
    frame = frame.assign(message_bytes=_bytes(frame, "allreduce_dtype", path), latency_us=frame["latency"] * 1e3,
                         backend=kind.str.endswith("_eager").map({True: "vllm_eager", False: "vllm_graph"}))
    tables.add("custom_all_reduce", frame[frame["num_gpus"] > 1], path)


def _add_nccl(tables: Tables, path: Path) -> None:
    frame = read_table(path, ["op_name", "nccl_dtype", "num_gpus", "message_size", "latency"])
    frame = frame[frame["nccl_dtype"].isin(["half", "float16", "bfloat16"])]
    frame = frame.assign(op=frame["op_name"], message_bytes=_bytes(frame, "nccl_dtype", path), latency_us=frame["latency"] * 1e3)
    known = frame["op"].isin(["all_reduce", "all_gather", "reduce_scatter", "alltoall"])
    tables.add("nccl", frame[known & (frame["num_gpus"] > 1)], path)
