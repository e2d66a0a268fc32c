"""Shapley values and intervals: hand-computed games, coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from brink.explain.intervals import mean_interval, ratio_interval
from brink.explain.shapley import shapley

EXPERIMENTS = 1000
COVERAGE_MIN = 0.93  # of intervals that aim at 0.95: a right one falls below with probability 0.002 (2.9 standard errors)


def game(players: int, worth: object) -> np.ndarray:
    """The worth of all coalitions, from a function of the set of players."""
    return np.array([worth({i for i in range(players) if c >> i & 1}) for c in range(1 << players)], dtype=float)  # type: ignore[operator]


def test_an_additive_game_gives_each_player_its_own() -> None:
    brings = [3.0, -1.5, 0.25, 8.0, 0.0]
    values = shapley(game(5, lambda s: sum(brings[i] for i in s)))
    assert values == pytest.approx(brings, abs=1e-12)


def test_the_glove_game() -> None:
    # One left glove (player 0) and two right ones: a pair is worth 1. By hand: 4/6, 1/6, 1/6.
    values = shapley(game(3, lambda s: float(0 in s and len(s) > 1)))
    assert values == pytest.approx([4 / 6, 1 / 6, 1 / 6], abs=1e-12)


def test_an_interaction_is_split_evenly() -> None:
    # 10 alone, 20 alone, 36 together: the 6 on top go half and half.
    assert shapley(np.array([0.0, 10.0, 20.0, 36.0])) == pytest.approx([13.0, 23.0])


def test_symmetric_players_get_the_same_and_a_dummy_exactly_nothing() -> None:
    # Players 0, 1, 3 are alike; player 2 never changes anything.
    values = shapley(game(4, lambda s: 0.1 * len(s - {2}) ** 2 + 7.3))
    assert values[0] == pytest.approx(values[1], abs=1e-12) and values[0] == pytest.approx(values[3], abs=1e-12)
    assert values[2] == 0.0  # no rounding remains: its interval must contain 0
    assert values[0] == pytest.approx(0.3)


def test_values_sum_to_the_whole() -> None:
    worth = np.random.default_rng(5).normal(size=(7, 32))
    assert shapley(worth).sum(axis=1) == pytest.approx(worth[:, -1] - worth[:, 0])
    assert shapley(worth).shape == (7, 5)


def test_coalitions_must_be_complete() -> None:
    with pytest.raises(ValueError, match="6 coalitions"):
        shapley(np.zeros(6))


def test_the_interval_of_a_mean_by_hand() -> None:
    # Mean 3, standard deviation sqrt(2.5), t(0.975, 4) = 2.776445.
    interval = mean_interval([1, 2, 3, 4, 5])
    assert interval.mean == 3.0
    assert interval.high - interval.mean == pytest.approx(2.776445105 * (2.5 / 5) ** 0.5, rel=1e-9)
    assert interval.mean - interval.low == pytest.approx(interval.high - interval.mean)
    assert mean_interval([2.0, 2.0, 2.0]).to_list() == [2.0, 2.0, 2.0]
    with pytest.raises(ValueError, match="at least 2"):
        mean_interval([1.0])


def test_the_ratio_interval_holds_the_ratios_that_a_t_test_keeps() -> None:
    rng = np.random.default_rng(3)
    below = rng.normal(10, 1, 6)
    above = 0.4 * below + rng.normal(0, 0.5, 6)
    interval = ratio_interval(above, below)
    assert interval is not None
    assert interval.mean == pytest.approx(above.mean() / below.mean())
    for edge in (interval.low, interval.high):
        assert stats.ttest_1samp(above - edge * below, 0).pvalue == pytest.approx(0.05, abs=1e-9)
    assert interval.low < interval.mean < interval.high


def test_a_ratio_over_what_may_be_nothing_has_no_interval() -> None:
    assert ratio_interval([1, 2, 3], [-1, 0, 1]) is None
    assert ratio_interval([0, 0, 0], [0, 0, 0]) is None


def test_a_share_contains_0_exactly_when_its_effect_does() -> None:
    rng = np.random.default_rng(11)
    both = [0, 0]
    for _ in range(300):
        whole = rng.normal(8, 1, 5)
        part = rng.normal(0.4, 0.4, 5)
        interval = ratio_interval(part, whole)
        assert interval is not None
        assert interval.contains(0.0) == mean_interval(part).contains(0.0)
        both[interval.contains(0.0)] += 1
    assert min(both) > 20  # both cases were seen


def noisy_games(rng: np.random.Generator, seeds: int) -> tuple[np.ndarray, np.ndarray]:
    """Worth of 8 coalitions for some seeds, and the true Shapley values.

    Every seed has its own load (which pairing removes), its own size of each effect, an interaction
    of players 0 and 1, and noise of every run.
    """
    brings, together = np.array([40.0, 10.0, 0.0]), 12.0
    load = rng.lognormal(5, 1, (seeds, 1))
    sizes = brings * rng.normal(1, 0.2, (seeds, 3))
    members = np.array([[c >> i & 1 for i in range(3)] for c in range(8)], dtype=float)
    worth = load + sizes @ members.T + together * members[:, 0] * members[:, 1] + rng.normal(0, 3, (seeds, 8))
    return worth, brings + np.array([together / 2, together / 2, 0.0])


@pytest.mark.parametrize("seeds", [5, 8])
def test_intervals_cover_the_truth(seeds: int) -> None:
    rng = np.random.default_rng(2024)
    effect, share, harmless = np.zeros(3), np.zeros(3), 0
    for _ in range(EXPERIMENTS):
        worth, truth = noisy_games(rng, seeds)
        values = shapley(worth)
        whole = worth[:, -1] - worth[:, 0]
        for i in range(3):
            effect[i] += mean_interval(values[:, i]).contains(truth[i])
            ratio = ratio_interval(values[:, i], whole)
            share[i] += ratio is not None and ratio.contains(truth[i] / truth.sum())
        harmless += mean_interval(values[:, 2]).contains(0.0)
    assert (effect / EXPERIMENTS >= COVERAGE_MIN).all(), effect
    assert (share / EXPERIMENTS >= COVERAGE_MIN).all(), share
    assert harmless / EXPERIMENTS >= COVERAGE_MIN
    assert harmless < EXPERIMENTS  # intervals so wide that they cover everything would say nothing
