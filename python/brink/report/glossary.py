"""The words of a report."""

GLOSSARY = (
    ("TTFT", "Time to first token: from sending a request to its first token at the client, queueing and prefill included."),
    ("TPOT", "Time per output token: (E2E − TTFT) / (output tokens − 1), one value a request with at least two tokens."),
    ("ITL", "Inter-token latency: the gap before each token after the first, pooled over all tokens of all requests."),
    ("E2E", "End-to-end latency: from sending a request to its last token at the client."),
    ("p50, p90, p99", "Percentiles: 50, 90 or 99 % of the values are at or below."),
    ("SLO", "Service-level objective: the limits on p99 latencies that the scenario set."),
    ("Goodput", "Requests a second that kept every limit of the SLO."),
    ("Prefill, decode", "Prefill reads a prompt into the KV cache, in chunks; decode gives one token a step to each running sequence."),
    ("KV cache", "Keys and values of all tokens in flight, held in blocks of GPU memory. When none is free, a running request is preempted."),
    ("Preemption", "A running request gives up its blocks and seat; later its prompt and tokens are computed again."),
    ("Step", "One pass of the model over the current batch, with its scheduling."),
    ("Replica", "One engine with its own queue, batch and KV cache: tensor- and pipeline-parallel GPUs that work as one."),
    ("Tactic, execution plan", "The kernel variant an operator runs (tile, stages, splits ...), chosen by the state of the engine; the plan of a step is all of them."),
    ("Regime", "State of a replica's memory and queue, named after the first predicate that holds: isolation, memory evaporation, paging, memory pressured, "
               "queue degraded; else normal."),
    ("Cascade", "A root event in the causal ledger and all that followed from it."),
    ("Amplification", "Delay of requests for each second of delay at the root of a cascade."),
    ("Share", "A cause's Shapley value over what all tested causes together add; not distinguishable where its 95 % interval contains 0."),
    ("Drift", "Expected share of completions that differ: from the same request alone on an idle system, or between two executions under this load."),
    ("Badge", "How far a number can be trusted. measured: between measurements close by; interpolated: between measurements farther apart; "
              "extrapolated: outside the measured range; hypothetical: resting on an assumption nobody measured. A number has the worst badge of all that went into it."),
    ("Warm-up", "Requests that arrived before it ended are left out of the statistics; shaded in the charts."),
)
