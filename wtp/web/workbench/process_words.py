"""What the workbench calls the keys of the customer's process, and what they mean; part of `words`."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

LISTS: dict[str, LazyString] = {
    "process": _l("Steps"),
    "steps": _l("What they think of single steps"),
    "windows": _l("When it suits them"),
}

ONE_OF: dict[str, LazyString] = {
    "process": _l("Step of the process"),
    "steps": _l("Step of the process"),
    "windows": _l("Day"),
}

LABELS: dict[str, LazyString] = {
    "process": _l("Steps of the customer's process"),
    "SimulatedSegment.process": _l("What they say of the process"),
    "ProcessStep.label": _l("What the customer does or lives through"),
    "supplier": _l("What the supplier does meanwhile"),
    "hours": _l("Hours of interruption"),
    "steps": _l("Steps"),
    "step": _l("Step of the process"),
    "matters": _l("Weight with which it is marked"),
    "satisfaction": _l("Mean satisfaction"),
    "windows": _l("When it suits them"),
    "day": _l("Day"),
    "suits": _l("Share to whom each time band suits"),
    "hour_cost": _l("Cost of an hour of interruption"),
}

HELP: dict[str, LazyString] = {
    "Rating.measures": _l(
        "Items must then be named like the attributes, for satisfaction with the process like its steps; analyses use them."
    ),
    "MultipleChoice.measures": _l(
        "Options must then be named like the steps of the process, and only some may be picked."
    ),
    "TimeGrid.measures": _l("The page of the customer's process then shows how many customers which times serve."),
    "Number.measures": _l(
        "An amount of money; times the hours of interruption it tells what a time that suits is worth."
    ),
    "process": _l("In the order in which the customer meets them; questions about them name the same identifiers."),
    "supplier": _l("It stands below the customer's step on the page of results."),
    "hours": _l("How long the customer is interrupted by it. Empty: not at all."),
    "SimulatedSegment.process": _l("Known truths that the analysis must find again."),
    "suits": _l("One share a time band, such as 0.1 0.4 0.2; a space between them."),
}

CHOICES: dict[str, LazyString] = {
    "process_steps": _l("which steps of the process matter"),
    "process_satisfaction": _l("satisfaction with the steps of the process"),
    "service_window": _l("when a service suits"),
    "interruption_window": _l("when an interruption suits"),
    "interruption_cost": _l("what an hour of interruption costs"),
}
