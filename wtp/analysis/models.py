"""Which model beyond the pooled one a request gets, and for which of them the answers suffice."""

from __future__ import annotations

from collections.abc import Sequence

from wtp.analysis import hierarchical, latent
from wtp.analysis.record import AUTO, CONDITIONAL, HIERARCHICAL, LATENT, MIXED, Request
from wtp.analysis.versions import counted
from wtp.estimation.diagnostics import Note
from wtp.survey.answers import Answers, Respondent
from wtp.survey.load import Survey

_TOO_FEW = (
    "The model that was asked for ({model}) needs more answers, so these are the quick figures, from one average taste a segment. Hierarchical Bayes and mixed logit need "
    "75 respondents who answered six choice tasks each, latent classes 150 respondents."
)
NEEDED = {
    HIERARCHICAL: "75 respondents who answered at least six choice tasks each.",
    MIXED: "75 respondents who answered at least six choice tasks each.",
    LATENT: "150 respondents.",
}


def final_models(survey: Survey, answers: Answers, request: Request) -> tuple[str, ...]:
    """The models beyond the pooled one for which the answers that the request counts suffice, the usual one first."""
    left_out = set(request.without)
    people = [r for r in counted(survey, answers, request).respondents if r.number not in left_out]
    return possible([r for r in people if any(c.task.kind == "estimation" for c in r.choices)])


def possible(respondents: Sequence[Respondent]) -> tuple[str, ...]:
    """The models for which these respondents, who all answered choice tasks, suffice, the usual one first."""
    found = [HIERARCHICAL, MIXED] if respondents and hierarchical.wanted(respondents) else []
    return (*found, *([LATENT] if len(respondents) >= latent.FEWEST_RESPONDENTS else []))


def chosen_model(model: str, respondents: Sequence[Respondent]) -> tuple[str, tuple[Note, ...]]:
    """The model to fit, "conditional" if none beyond it, with a note where another one was asked for."""
    there = possible(respondents)
    if model == AUTO:
        usual = there[0] if there and (there[0] == HIERARCHICAL or latent.wanted(respondents)) else CONDITIONAL
        return usual, ()
    if model == CONDITIONAL or model in there:
        return model, ()
    return CONDITIONAL, (Note("model_not_possible", "warning", _TOO_FEW, {"model": model}),)
