"""The paragraph for an incident report: which regime ran, what pushed us into it, what would have been without it."""

from __future__ import annotations

from brink import headline
from brink.explain import figures
from brink.explain.attribution import Effect, Verdict
from brink.explain.causes import words
from brink.explain.explanation import Explanation
from brink.explain.metrics import slo_violations
from brink.headline import milliseconds

_TOLD = ("p99_e2el_ms", "slo_violations", "p99_ttft_ms", "p99_tpot_ms", "mean_e2el_ms", "drift")  # in order of weight
_TOLD_MAX = 4
_ITSELF = ("p99_e2el_ms", "slo_violations", "p99_ttft_ms")  # told of the run itself, too


def paragraph(found: Explanation) -> str:
    """Only what the figures say: a cause whose interval contains 0 is named as not distinguishable."""
    sentences = [_outcome(found), _regimes(found), _pushes(found), *_tests(found), _trust(found)]
    return " ".join(sentence for sentence in sentences if sentence)


def _outcome(found: Explanation) -> str:
    summary = found.summary
    parts = []
    for row in headline.latency_rows(summary):
        p99 = row.values_ms["p99"]
        if p99 is None or row.key == "itl":
            continue
        limit = f" (limit {milliseconds(row.limit_p99_ms)})" if row.limit_p99_ms is not None else ""
        parts.append(f"{row.label} {milliseconds(p99)}{limit}")
    broken, measured = slo_violations(summary), summary.get("measured_requests") or 0
    slo = f"; {broken:,.0f} of {measured:,} requests broke the SLO" if broken is not None else ""
    served = f"{int(summary.get('completed') or 0):,} requests completed in {float(summary.get('duration') or 0.0):,.0f} s"
    return f"{found.name}: {served}, p99 {', '.join(parts) or 'unknown'}{slo}."


def _regimes(found: Explanation) -> str:
    if not found.regimes:
        return ""
    shares = [f"{words(name)} {_percent(share)}" for name, share in found.regimes.items()]
    return f"Regimes by replica time: {', '.join(shares)}."


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %") if share >= 0.001 else "below 0.1 %"


def _pushes(found: Explanation) -> str:
    if not found.pushes:
        return ""
    total = sum(push.changes for push in found.pushes)
    top = found.pushes[0]
    where = f" on replica {top.first.replica}" if top.first.replica >= 0 else ""
    what = f" ({words(top.first.detail).replace('->', 'to')})" if top.first.detail else ""
    changes = f"{total:,} changes into another regime than normal" if total != 1 else "1 change into another regime than normal"
    text = f"The ledger traces {top.changes:,} of {changes} to {top.label}, the first at t = {top.first.at_s:,.1f} s{where}{what}"
    rest = [f"{push.changes:,} to {push.label}" for push in found.pushes[1:4]]
    return f"{text}{'; ' + ', '.join(rest) if rest else ''}."


def _tests(found: Explanation) -> list[str]:
    if not found.causes:
        return ["Nothing was removed for comparison: the scenario has no conditions, controller, shaping or isolation."]
    if found.runs is None or found.found is None:
        return ["What would have been without its causes was not tested."]
    sentences = [f"Each cause was removed in runs with the same {len(found.runs.seeds)} seeds (means, 95 % intervals)."]
    silent = []
    for verdict in found.found.verdicts:
        told = _told(verdict)
        if told:
            sentences.append(_sentence(verdict, told, len(found.found.verdicts) == 1))
        else:
            silent.append(_silent(verdict))
    if silent:
        sentences.append(f"Not distinguishable from no effect: {'; '.join(silent)}.")
    if found.untested:
        sentences.append(f"Not tested, being smaller at the root: {', '.join(cause.label for cause in found.untested)}.")
    return sentences


def _told(verdict: Verdict) -> list[Effect]:
    effects = [verdict.effect(key) for key in _TOLD]
    return [effect for effect in effects if effect is not None and effect.removal_distinguishable][:_TOLD_MAX]


def _sentence(verdict: Verdict, told: list[Effect], alone: bool) -> str:
    text = f"Without {verdict.cause.label}"
    itself = [said for effect in dict.fromkeys([*told, *_others(verdict)]) if (said := _itself(effect))][:_TOLD_MAX]
    if itself:
        text += f" this run would have had {_list(itself)}"
    adds = [f"{figures.change(effect.metric, effect.change)} to {effect.metric.label}" for effect in told]
    text += f"{'; over the seeds' if itself else ':'} it adds {_list(adds)}"
    first = told[0]
    if first.share is not None and first.distinguishable and not alone:
        text += f", a share of {figures.share(first.share)} of what all tested causes add to {first.metric.label}"
    if verdict.amplified is not None:
        text += f"; each second of delay at its root cost the requests {figures.times(verdict.amplified)} s of E2E"
    return text + "."


def _others(verdict: Verdict) -> list[Effect]:
    return [effect for key in _ITSELF if (effect := verdict.effect(key)) is not None]


def _itself(effect: Effect) -> str:
    """"p99 E2E 1.60 s instead of 176 s"; "" where the two read the same."""
    before, after = (figures.value(effect.metric, number) for number in effect.run)
    return f"{effect.metric.label} {after} instead of {before}" if after != before else ""


def _silent(verdict: Verdict) -> str:
    effect = verdict.effect("mean_e2el_ms") or next(iter(verdict.effects), None)  # the mean is the finest of them
    if effect is None:
        return verdict.cause.label
    text = f"{verdict.cause.label} (adds {figures.added(effect.metric, effect.change, effect.with_all)} to {effect.metric.label}"
    if max(effect.worse, effect.better) == verdict.seeds and not effect.change.negligible(effect.with_all):
        text += f", {'worse' if effect.worse else 'better'} with it in each of the {verdict.seeds} seeds: more seeds would tell"
    return text + ")"


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _trust(found: Explanation) -> str:
    badge = headline.worst_badge([row.badge for row in headline.latency_rows(found.summary)])
    text = f"All figures are simulated{f', with step costs at worst {badge}' if badge else ''}."
    if active := found.summary.get("hypotheses"):
        text += f" They rest on hypotheses that evidence does not support: {', '.join(map(str, active))}."
    if found.other:
        text += f" The engine at hand does not give the run again ({', '.join(found.other)} differ): the tests are of its own repetition."
    return text
