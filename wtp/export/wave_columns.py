"""Columns of measures and of the comparison of two waves, as the codebook describes them."""

from __future__ import annotations

# (table, column, type, may be empty, text)
MEASURES = (
    ("measures", "measure", "whole number", False, "number of the measure that staff recorded"),
    ("measures", "state", "code", False, "planned, running, done or dropped"),
    ("measures", "kind", "code", False, "offer, positioning, communication, promotion, training or process"),
    ("measures", "title", "text", False, "what is done"),
    ("measures", "segment", "code", False, "segment of the finding that justifies it; all: everybody"),
    ("measures", "attribute", "code", True, "attribute, or price; empty: the whole offer"),
    ("measures", "owner", "text", False, "who sees to it"),
    ("measures", "due_on", "text", True, "day on which it is due, as in 2026-12-31"),
    ("measures", "overdue", "true or false", False, "true: planned or running, and the day has passed"),
    ("measures", "expected", "text", True, "expected effect, as recorded"),
    ("measures", "outcome", "text", True, "what it brought, as recorded"),
    ("measures", "done_on", "text", True, "day on which it was done"),
    ("measures", "chart", "code", False, "section of the results in which the finding stands"),
    ("measures", "finding", "text", False, "the finding as it stood when the measure was recorded"),
    ("measures", "simulated", "true or false", False, "true: made up for a demonstration"),
    ("measures", "recorded_by", "text", False, "who recorded it"),
    ("measures", "recorded_at", "time", False, "when, UTC"),
    ("measures", "changed_at", "time", False, "last change, UTC"),
)
# Column of a table of figures -> (type, text)
OF_WAVES = {
    "before": ("number", "figure of the earlier wave; of the mix of respondents a share"),
    "before_low": ("number", "lower end of its interval"),
    "before_high": ("number", "upper end of its interval"),
    "after": ("number", "figure of the later wave"),
    "after_low": ("number", "lower end of its interval"),
    "after_high": ("number", "upper end of its interval"),
    "difference": ("number", "after less before"),
    "difference_low": ("number", "lower end of its interval"),
    "difference_high": ("number", "upper end of its interval"),
    "clear": ("true or false", "the interval of the difference does not hold 0"),
    "measure": ("code", "whether a measure that concerns the figure was done in between, is running, or neither"),
    "measures": ("text", "numbers of these measures"),
    "elsewhere": ("number", "difference in the segments without such a measure, weighted by their customers"),
    "elsewhere_low": ("number", "lower end of its interval"),
    "elsewhere_high": ("number", "upper end of its interval"),
    "beyond": ("number", "difference less that elsewhere"),
    "beyond_low": ("number", "lower end of its interval"),
    "beyond_high": ("number", "upper end of its interval"),
    "compared_with": ("text", "segments that elsewhere stands for"),
    "respondents_before": ("whole number", "respondents of the segment in the earlier wave"),
    "respondents_after": ("whole number", "respondents of the segment in the later wave"),
    "number": ("whole number", "number of a measure"),
    "title": ("text", "what a measure does"),
    "state": ("code", "state of a measure: done or running"),
    "done_on": ("text", "day on which a measure was done"),
    "where": ("code", "which attribute, segment or question; of changed words their place in the survey"),
}  # fmt: skip
