"""Brink: a discrete-event simulator of LLM serving clusters.

>>> import brink
>>> scenario = brink.Scenario.load("configs/scenarios/first_run.json")
>>> result = brink.simulate(scenario.with_({"/engine/max_num_seqs": 128}))
>>> result.summary["p99_ttft_ms"]
"""

from brink.errors import BrinkError, ConfigError, EngineError, TraceError
from brink.result import RunResult
from brink.scenario import Scenario
from brink.simulate import Progress, simulate

__version__ = "0.1.0"
__all__ = [
    "BrinkError",
    "ConfigError",
    "EngineError",
    "Progress",
    "RunResult",
    "Scenario",
    "TraceError",
    "simulate",
]
