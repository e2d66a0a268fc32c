"""JSON Pointer (RFC 6901) on plain dicts and lists, and the values of ``--set``."""

from __future__ import annotations

import json
from typing import Any

from brink.errors import ConfigError


def _tokens(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        raise ConfigError(pointer, f"the pointer {pointer!r}", "a JSON Pointer starts with '/', as in /engine/max_num_seqs")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def get(root: Any, pointer: str, default: Any = None) -> Any:
    """The value at ``pointer``, or ``default`` when nothing is there."""
    here = root
    for token in _tokens(pointer):
        if isinstance(here, dict) and token in here:
            here = here[token]
        elif isinstance(here, list) and token.isdigit() and int(token) < len(here):
            here = here[int(token)]
        else:
            return default
    return here


def _index(items: list[Any], token: str, pointer: str) -> int:
    """Index of ``token`` in a list; the length of the list for "-" or the next index."""
    if token == "-":
        return len(items)
    if token.isdigit() and str(int(token)) == token and int(token) <= len(items):
        return int(token)
    raise ConfigError(pointer, f"the index {token!r}", f"the array has {len(items)} items: use 0..{len(items)} or '-'")


def _step(here: Any, token: str, pointer: str) -> Any:
    """The member ``token`` of ``here``, made an empty object when it is missing."""
    if isinstance(here, dict):
        return here.setdefault(token, {})
    if isinstance(here, list):
        index = _index(here, token, pointer)
        if index == len(here):
            here.append({})
        return here[index]
    raise ConfigError(pointer, describe(here) + f" before {token!r}", "only objects and arrays have members")


def put(root: Any, pointer: str, value: Any) -> None:
    """Sets the value at ``pointer`` in place, creating missing objects.

    Raises ConfigError when the path crosses a scalar or an array index is out of range.
    """
    *path, last = _tokens(pointer)
    here = root
    for token in path:
        here = _step(here, token, pointer)
    if isinstance(here, dict):
        here[last] = value
    elif isinstance(here, list):
        here[(index := _index(here, last, pointer)) : index + 1] = [value]
    else:
        raise ConfigError(pointer, describe(here) + f" before {last!r}", "only objects and arrays have members")


def describe(value: Any) -> str:
    """"the integer 3", "an object" ... for error messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    kinds = {int: "integer", float: "number", str: "string"}
    return f"the {kinds.get(type(value), type(value).__name__)} {value!r}"


def setting(pointer: str, value: Any) -> str:
    """The text of ``--set`` that sets ``pointer`` to ``value``."""
    return f"{pointer}={json.dumps(value, allow_nan=False)}"
