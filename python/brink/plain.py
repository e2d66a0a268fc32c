"""Plain JSON values: what a scenario may hold, copied and checked, with the pointer of what cannot be."""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from brink.errors import ConfigError

MAX_DEPTH = 64  # levels of arrays and objects, as the engine allows


class Members(tuple[tuple[str, Any], ...]):
    """An object as parsed: every member in order, repeated keys too (``object_pairs_hook``)."""


def plain(value: Any, at: str = "") -> Any:
    """A copy of ``value`` made of dicts, lists, strings, finite numbers, booleans and None.

    Tuples become lists, paths strings, and numbers of other libraries (numpy's) Python's.
    ``at`` is the JSON Pointer of ``value``. Raises ConfigError for a repeated or non-text key, a
    number that is not finite, a value JSON cannot hold, and nesting deeper than MAX_DEPTH levels.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (Members, Mapping)):
        return _members(value if isinstance(value, Members) else tuple(value.items()), at)
    if isinstance(value, (list, tuple)):
        _check_depth(at)
        return [plain(item, f"{at}/{index}") for index, item in enumerate(value)]
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return _finite(float(value), at)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, np.bool_):  # of no number class
        return bool(value)
    raise ConfigError(at, f"a Python {type(value).__name__}", "text, numbers, booleans, None, lists and mappings of them")


def _members(members: tuple[tuple[Any, Any], ...], at: str) -> dict[str, Any]:
    _check_depth(at)
    made: dict[str, Any] = {}
    for key, item in members:
        if not isinstance(key, str):
            raise ConfigError(at, f"the key {key!r}", "the keys of an object are text")
        place = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
        if key in made:
            raise ConfigError(place, f"the key {key!r} twice", "every key may appear once")
        made[key] = plain(item, place)
    return made


def _check_depth(at: str) -> None:
    if at.count("/") >= MAX_DEPTH:
        raise ConfigError(at, f"a value nested deeper than {MAX_DEPTH} levels", f"at most {MAX_DEPTH} levels of arrays and objects")


def _finite(number: float, at: str) -> float:
    if math.isfinite(number):
        return number
    got = "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    raise ConfigError(at, got, "numbers must be finite")
