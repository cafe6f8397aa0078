"""The one door to the statistics: answers in, tables, notes and summaries out.

`analyse` is a pure function of survey, answers and request. The segments are those that the author declared, and "all". Each is
estimated on its own by a pooled conditional logit, clustered by respondent; what would mislead is withheld with its reason.
"""

from wtp.analysis.choices import ChoiceAnalysis, analyse_choices
from wtp.analysis.record import ALL, Analysis, Request
from wtp.analysis.study import analyse

__all__ = ["ALL", "Analysis", "ChoiceAnalysis", "Request", "analyse", "analyse_choices"]
