"""A scenario: what is simulated, as an immutable value."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brink import pointer as json_pointer
from brink.errors import ConfigError
from brink.plain import MAX_DEPTH, Members, plain


class Scenario:
    """What is simulated: cluster, model, engine, workload. Never changes; ``with_`` makes another.

    The engine checks the content when it runs; here only the JSON itself is checked.
    """

    __slots__ = ("_base_dir", "_data", "_path")

    def __init__(self, data: Mapping[str, Any], base_dir: str | os.PathLike[str] = ".", path: Path | None = None) -> None:
        """``data``: the scenario's fields. ``base_dir``: the folder its relative paths start from.

        Raises ConfigError for what JSON cannot hold: other objects, numbers that are not finite.
        """
        self._data: dict[str, Any] = plain(data)
        self._base_dir = Path(base_dir).resolve()
        self._path = path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Scenario:
        """Reads a scenario file; relative paths in it start from its folder.

        Raises ConfigError when it cannot be read or is not one JSON object without duplicate keys.
        """
        file = Path(path)
        try:
            data = plain(json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=Members, parse_constant=float))
        except OSError as error:
            what = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
            raise ConfigError("", what, "give the path of a scenario file", str(path)) from None
        except UnicodeDecodeError:
            raise ConfigError("", "bytes that are not UTF-8", "a scenario is a JSON text file", str(path)) from None
        except json.JSONDecodeError as error:
            got = f"a syntax error in line {error.lineno}, column {error.colno} ({error.msg})"
            raise ConfigError("", got, "a scenario is strict JSON", str(path)) from None
        except RecursionError:
            limit = f"at most {MAX_DEPTH} levels of arrays and objects"
            raise ConfigError("", f"values nested deeper than {MAX_DEPTH} levels", limit, str(path)) from None
        except ConfigError as error:
            raise ConfigError(error.pointer, error.got, error.allowed, str(path)) from None
        if not isinstance(data, dict):
            raise ConfigError("", json_pointer.describe(data), "a scenario is a JSON object", str(path))
        return cls(data, file.parent, file.resolve())

    def with_(self, changes: Mapping[str, Any]) -> Scenario:
        """A copy with values set at JSON Pointers: ``{"/engine/max_num_seqs": 128}``.

        Missing objects on the way are created; "-" appends to an array. Paths given as values
        start from the scenario's folder, like all others. Raises ConfigError for a pointer
        that crosses a scalar and for a value that JSON cannot hold.
        """
        data = copy.deepcopy(self._data)
        for at, value in changes.items():
            json_pointer.put(data, at, plain(value, at))
        return Scenario(data, self._base_dir, self._path)

    def get(self, at: str, default: Any = None) -> Any:
        """The value at a JSON Pointer, or ``default``. Changing it changes no scenario."""
        return copy.deepcopy(json_pointer.get(self._data, at, default))

    @property
    def name(self) -> str:
        """The scenario's name; without one, its file's."""
        given = self._data.get("name")
        return str(given) if given else (self._path.stem if self._path else "scenario")

    @property
    def base_dir(self) -> Path:
        """The folder that relative paths in the scenario start from."""
        return self._base_dir

    def to_dict(self) -> dict[str, Any]:
        """The fields, as a copy."""
        return copy.deepcopy(self._data)

    def to_json(self, indent: int | None = 2) -> str:
        """The scenario as JSON text, keys in the order they were given."""
        return json.dumps(self._data, indent=indent, ensure_ascii=False, allow_nan=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Scenario):
            return NotImplemented
        return self._data == other._data and self._base_dir == other._base_dir

    def __hash__(self) -> int:
        return hash((json.dumps(self._data, sort_keys=True), self._base_dir))

    def __repr__(self) -> str:
        return f"Scenario({self.name!r}, base_dir={str(self._base_dir)!r})"
