"""Shapley values: what each player of a cooperative game brings, averaged over every order of joining.

L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II (1953).
"""

from __future__ import annotations

from math import factorial

import numpy as np


def shapley(worth: np.ndarray) -> np.ndarray:
    """The values of ``k`` players, shape (..., k), from the worth of all coalitions, shape (..., 2**k).

    Bit i of a coalition's index is set when player i is in it. The values of one game sum to
    worth[all] - worth[none]; a player who never changes the worth gets exactly 0.
    """
    coalitions = worth.shape[-1]
    players = coalitions.bit_length() - 1
    if coalitions != 1 << players:
        raise ValueError(f"{coalitions} coalitions are no power of two")
    values = np.zeros((*worth.shape[:-1], players))
    for player in range(players):
        for others in range(coalitions):
            if others >> player & 1:
                continue
            size = others.bit_count()
            weight = factorial(size) * factorial(players - size - 1) / factorial(players)
            values[..., player] += weight * (worth[..., others | 1 << player] - worth[..., others])
    return values
