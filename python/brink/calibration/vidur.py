"""Kernel tables of Vidur: its ``data/profiling`` folder of CSV files.

``compute/DEVICE/**/mlp.csv`` holds the projections of whole models, ``attention.csv`` paged
attention, ``network/FABRIC/all_reduce.csv`` collectives; all times are milliseconds.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from brink.calibration.tables import Tables, choose, common_grid, read_table
from brink.errors import ConfigError

_MODEL = ["n_head", "n_kv_head", "n_embd", "n_expanded_embd", "use_gated_mlp", "num_tokens", "num_tensor_parallel_workers"]
_PROJECTIONS = ("attn_pre_proj", "attn_post_proj", "mlp_up_proj", "mlp_down_proj")
_ATTENTION = ["n_embd", "n_q_head", "n_kv_head", "num_tensor_parallel_workers", "batch_size", "prefill_chunk_size", "kv_cache_size", "is_prefill"]


def profiling_folder(folder: Path) -> Path:
    """The profiling folder of a checkout, or the folder itself. Raises ConfigError."""
    for root in ("", "profiling", "data/profiling"):
        if (folder / root / "compute").is_dir():
            return folder / root
    raise ConfigError("", "no data/profiling/compute folder", "give a checkout of Vidur or its data/profiling folder", str(folder))


def read(folder: Path, device: str, fabric: str | None = None) -> Tables:
    """The tables of one device. ``fabric``: a folder of ``network``, by default DEVICE_dgx.

    Raises ConfigError for an unknown device or fabric, TraceError for a file that cannot be used.
    """
    root = profiling_folder(folder)
    compute = root / "compute"
    compute /= choose("system", device, (p.name for p in compute.iterdir() if p.is_dir()), compute)
    tables = Tables(f"Vidur {device}")
    for name, file, reader in (("gemm", "mlp.csv", _gemm), ("attention_decode", "attention.csv", _decode), ("attention_prefill", "attention.csv", _prefill)):
        files = sorted(compute.rglob(file))
        if files:
            rows = pd.concat([reader(path) for path in files], ignore_index=True)
            tables.add(name, common_grid(rows) if name == "gemm" else rows, files[0])
            tables.notes.append(f"{name}: {len(files)} files; the digest is the first one's")
    _add_all_reduce(tables, root / "network", device, fabric)
    return tables


def _gemm(path: Path) -> pd.DataFrame:
    frame = read_table(path, [*_MODEL, *(f"time_stats.{p}.median" for p in _PROJECTIONS)])
    tp, dim = frame["num_tensor_parallel_workers"], frame["n_embd"] // frame["n_head"]
    heads, kv = frame["n_head"] // tp, (frame["n_kv_head"] // tp).clip(lower=1)
    inner = frame["n_expanded_embd"] // tp
    shapes = {
        "attn_pre_proj": ((heads + 2 * kv) * dim, frame["n_embd"]),
        "attn_post_proj": (frame["n_embd"], heads * dim),
        "mlp_up_proj": (inner * (1 + frame["use_gated_mlp"].astype(int)), frame["n_embd"]),
        "mlp_down_proj": (frame["n_embd"], inner),
    }
    parts = [pd.DataFrame({"kernel_source": "vidur", "gemm_dtype": "bfloat16", "m": frame["num_tokens"], "n": n, "k": k,
                           "latency": frame[f"time_stats.{name}.median"]}) for name, (n, k) in shapes.items()]
    return pd.concat(parts, ignore_index=True)


def _attention(path: Path, kind: str, prefill: bool) -> pd.DataFrame:
    frame = read_table(path, [*_ATTENTION, f"time_stats.{kind}.median"])
    frame = frame[frame["is_prefill"].astype(str).str.lower().isin(["true", "1"]) == prefill]
    tp = frame["num_tensor_parallel_workers"]
    return pd.DataFrame({
        "kernel_source": "vidur", "batch_size": frame["batch_size"], "isl": frame["prefill_chunk_size"] if prefill else 1,
        "num_heads": frame["n_q_head"] // tp, "num_key_value_heads": (frame["n_kv_head"] // tp).clip(lower=1),
        "head_dim": frame["n_embd"] // frame["n_q_head"], "attn_dtype": "bfloat16", "kv_cache_dtype": "bfloat16",
        "step": frame["kv_cache_size"], "window_size": 0, "latency": frame[f"time_stats.{kind}.median"]})


def _decode(path: Path) -> pd.DataFrame:
    frame = _attention(path, "attn_decode", prefill=False)
    return frame[frame["step"] > 0]


def _prefill(path: Path) -> pd.DataFrame:
    frame = _attention(path, "attn_prefill", prefill=True)
    return frame[frame["step"] == 0]  # the law counts the FLOPs of a prefix; its surface is over whole prompts


def _add_all_reduce(tables: Tables, network: Path, device: str, fabric: str | None) -> None:
    if not network.is_dir():
        return
    names = [p.name for p in network.iterdir() if (p / "all_reduce.csv").is_file()]
    if fabric is None and f"{device}_dgx" not in names:
        tables.notes.append(f"no all-reduce table of {device}_dgx; choose one with --fabric: {', '.join(sorted(names)) or 'none there'}")
        return
    path = network / choose("fabric", fabric or f"{device}_dgx", names, network) / "all_reduce.csv"
    frame = read_table(path, ["num_workers", "devices_per_node", "size", "collective", "time_stats.all_reduce.median"])
    inside = frame[(frame["collective"] == "all_reduce") & (frame["num_workers"] == frame["devices_per_node"]) & (frame["num_workers"] > 1)]
    tables.add("nccl", pd.DataFrame({"op": "all_reduce", "num_gpus": inside["num_workers"], "message_bytes": inside["size"],
                                     "latency_us": inside["time_stats.all_reduce.median"] * 1e3}), path)
