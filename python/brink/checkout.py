"""Files of a source checkout that commands use by default."""

from __future__ import annotations

from pathlib import Path

from brink.errors import ConfigError


def configs() -> Path:
    """The configs folder: of the working directory, else of the checkout this package lies in.

    Raises ConfigError when there is none.
    """
    for root in (Path.cwd(), Path(__file__).resolve().parents[2]):
        if (root / "configs" / "gpus").is_dir():
            return root / "configs"
    raise ConfigError("", "no configs folder", "run this in the source folder of Brink")
