"""The hierarchical Bayes logit: model and prior, the sampler with its compiled kernels, what it keeps, results."""

from wtp.estimation.hierarchical.logit import HierarchicalLogit, HierarchicalPrior, Progress
from wtp.estimation.hierarchical.results import HierarchicalResults, HierarchicalSegment
from wtp.estimation.hierarchical.sensitivity import prior_sensitivity

__all__ = [
    "HierarchicalLogit",
    "HierarchicalPrior",
    "HierarchicalResults",
    "HierarchicalSegment",
    "Progress",
    "prior_sensitivity",
]
