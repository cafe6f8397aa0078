"""Columns of the tables about the customer's process, for the codebook: column -> (type, text)."""

from __future__ import annotations

PROCESS_COLUMNS = {
    "even": ("share", "that each step or time would have if everybody's marks were spread evenly"),
    "even_p": ("share", "p-value of being marked no more often than evenly, by Holm over all segments together"),
    "moment": ("true or false", "clearly marked more often than evenly: a moment that matters"),
    "satisfaction": ("number", "mean satisfaction with the step"),
    "satisfaction_low": ("number", "lower end of its interval"),
    "satisfaction_high": ("number", "upper end of its interval"),
    "satisfaction_gap": ("number", "rating of the step less the mean of the other ratings of the same respondent, mean"),
    "gap_p": ("share", "p-value of that not being below 0, by Holm over all segments together"),
    "mend": ("true or false", "a moment that matters with which respondents are clearly less satisfied than with the others"),
    "raters": ("whole number", "respondents behind the satisfaction"),
    "window": ("code", "what was asked: service_window or interruption_window"),
    "leads": ("true or false", "asked for clearly more often than evenly"),
    "windows": ("whole number", "how many windows: this one and those above it"),
    "seen": ("share", "of those who chose the windows, which flatters"),
    "customers_served": ("number", "customers of the segment that the windows so far serve"),
    "cost": ("money", "median of what an hour of interruption costs"),
    "hours": ("number", "by which the steps of the process interrupt a customer"),
    "together": ("money", "worth of all windows so far, a year and 100 customers, without economics 100 purchases"),
    "together_low": ("money", "lower end of its interval"),
    "together_high": ("money", "upper end of its interval"),
    "subject": ("code", "what was asked of the process, as the question measures it"),
    "p_together": ("share", "p-value that holds over everything asked of the process (permutation, Westfall and Young; Bonferroni over questions)"),
}  # fmt: skip
