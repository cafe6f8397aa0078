"""What the choices mean: choice data in, statsmodels results and tidy tables out; usable without the web application."""

from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.coding import part_worths
from wtp.estimation.conditional_logit import ConditionalLogit, ConditionalLogitResults, parameter_table
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import krinsky_robb
from wtp.estimation.importance import importance

__all__ = [
    "ChoiceData",
    "ConditionalLogit",
    "ConditionalLogitResults",
    "Note",
    "importance",
    "krinsky_robb",
    "parameter_table",
    "part_worths",
]
