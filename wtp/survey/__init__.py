"""What is asked and what is answered: the language that all other parts share; no Flask, no SQL, no statistics."""

from wtp.survey.answers import Answers, Choice, Respondent
from wtp.survey.definition import Definition
from wtp.survey.load import Survey, inspect_survey, load_survey
from wtp.survey.mistakes import Mistake
from wtp.survey.routing import Step, steps
from wtp.survey.tasks import Alternative, ChoiceTask, Design

__all__ = [
    "Alternative",
    "Answers",
    "Choice",
    "ChoiceTask",
    "Definition",
    "Design",
    "Mistake",
    "Respondent",
    "Step",
    "Survey",
    "inspect_survey",
    "load_survey",
    "steps",
]
