"""What the columns of the tables about expectations, scripts and the rated rival mean, for the codebook: column -> (type, text)."""

from __future__ import annotations

EXPECTATIONS = {
    "rival_low": ("number", "lower end of its interval"),
    "rival_high": ("number", "upper end of its interval"),
    "pooled_gap": ("number", "gap, of expectations moved towards that of all segments, of strengths towards zero, by how little is known of it"),
    "pooled_gap_low": ("number", "lower end of its interval"),
    "pooled_gap_high": ("number", "upper end of its interval"),
    "together_low": ("number", "lower end of an interval of the gap that holds for all rows of the table together, by 95 per cent"),
    "together_high": ("number", "upper end of that interval"),
    "impact": ("number", "worth of today's level times pooled gap, money times points"),
    "impact_low": ("number", "lower end of its interval"),
    "impact_high": ("number", "upper end of its interval"),
    "standing": ("code", "today's level against that of the rated rival: ahead, equal, lower, unknown"),
    "expected": ("number", "mean rating of what was expected, by those who also rated what they met"),
    "expected_low": ("number", "lower end of its interval"),
    "expected_high": ("number", "upper end of its interval"),
    "met": ("number", "mean rating of what was met, by the same respondents"),
    "met_low": ("number", "lower end of its interval"),
    "met_high": ("number", "upper end of its interval"),
    "alpha_expected": ("number", "Cronbach's alpha of the expectations over all attributes"),
    "alpha_met": ("number", "Cronbach's alpha of the experiences over all attributes"),
    "score_correlation": ("number", "correlation of both means over all attributes"),
    "reliability": ("number", "reliability of the difference of both means, of one respondent; below 0 it is none"),
    "reliability_low": ("number", "lower end of its interval"),
    "reliability_high": ("number", "upper end of its interval"),
    "tau": ("number", "Kendall's tau: mean of each respondent's order with that of all others; in script_segments of the orders of two segments"),
    "tau_low": ("number", "lower end of its interval"),
    "tau_high": ("number", "upper end of its interval"),
}  # fmt: skip
