"""What is to blame for what a run did: cascades of the causal ledger and paired runs without a cause."""

from brink.explain.attribution import Attribution, Effect, Verdict, attribute
from brink.explain.causes import Cause, causes_of
from brink.explain.counterfactual import Experiment, Progress, experiment
from brink.explain.document import EXPLAIN_FILE, document, write
from brink.explain.explanation import Explanation
from brink.explain.intervals import Interval
from brink.explain.investigate import CAUSES_MAX, SEEDS_MIN, explain
from brink.explain.ledger import Ledger
from brink.explain.paragraph import paragraph

__all__ = [
    "CAUSES_MAX", "EXPLAIN_FILE", "SEEDS_MIN", "Attribution", "Cause", "Effect", "Experiment", "Explanation", "Interval", "Ledger",
    "Progress", "Verdict", "attribute", "causes_of", "document", "experiment", "explain", "paragraph", "write",
]
