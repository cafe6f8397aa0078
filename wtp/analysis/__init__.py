"""The one door to the statistics: answers in, tables, notes and summaries out.

`analyse` is a pure function of survey, answers and request. The segments are those that the author declared, and "all". Each is
estimated on its own by a pooled conditional logit, clustered by respondent; where the sample allows, one hierarchical model of everybody gives
amounts, demand and price upper limits, or latent classes where interviews are short. What would mislead is withheld with its reason.
"""

from wtp.analysis.budget import with_budget
from wtp.analysis.certainty import certainty, target_of
from wtp.analysis.changed import Changed, changed
from wtp.analysis.choices import MODELS, ChoiceAnalysis, Specification, analyse_choices
from wtp.analysis.customer import upgrades_of
from wtp.analysis.customers import analyse_contacts
from wtp.analysis.influence import influence
from wtp.analysis.models import NEEDED, final_models
from wtp.analysis.people import DRAWS, INDIVIDUAL, of_person, pack_people, unpack_people
from wtp.analysis.plan import Plan, plan_basis, plan_study
from wtp.analysis.plan_final import final_plan
from wtp.analysis.provenance import differences, package_versions, provenance
from wtp.analysis.purchases import known_beside, selling_tables
from wtp.analysis.quality_report import MANY_LEFT_OUT, QualityReport, compared, quality_report
from wtp.analysis.record import (
    ALL,
    AUTO,
    CONDITIONAL,
    CURRENT,
    FINAL_MODELS,
    HIERARCHICAL,
    LATENT,
    MIXED,
    POOLED,
    SAME_CHOICES,
    SETTLED,
    VERSIONS,
    Analysis,
    Request,
    request_of,
)
from wtp.analysis.study import analyse
from wtp.analysis.views import tell
from wtp.analysis.waves import Wave, before_and_after, same_model
from wtp.analysis.what_if import (
    Scenario,
    Simulator,
    WhatIf,
    pack_simulator,
    today,
    unpack_simulator,
    what_if,
    with_answers,
    with_best_offer,
    with_best_price,
)
from wtp.customers.measures import simulated_measures
from wtp.estimation.diagnostics import SMALLEST_SAMPLE
from wtp.estimation.hierarchical import Progress
from wtp.estimation.parallel import computing
from wtp.pricing.investment import SMALLEST_RELEVANT

__all__ = [
    "ALL",
    "AUTO",
    "CONDITIONAL",
    "CURRENT",
    "DRAWS",
    "FINAL_MODELS",
    "HIERARCHICAL",
    "INDIVIDUAL",
    "LATENT",
    "MANY_LEFT_OUT",
    "MIXED",
    "MODELS",
    "NEEDED",
    "POOLED",
    "SAME_CHOICES",
    "SETTLED",
    "SMALLEST_RELEVANT",
    "SMALLEST_SAMPLE",
    "VERSIONS",
    "Analysis",
    "Changed",
    "ChoiceAnalysis",
    "Plan",
    "Progress",
    "QualityReport",
    "Request",
    "Scenario",
    "Simulator",
    "Specification",
    "Wave",
    "WhatIf",
    "analyse",
    "analyse_choices",
    "analyse_contacts",
    "before_and_after",
    "certainty",
    "changed",
    "compared",
    "computing",
    "differences",
    "final_models",
    "final_plan",
    "influence",
    "known_beside",
    "of_person",
    "pack_people",
    "pack_simulator",
    "package_versions",
    "plan_basis",
    "plan_study",
    "provenance",
    "quality_report",
    "request_of",
    "same_model",
    "selling_tables",
    "simulated_measures",
    "target_of",
    "tell",
    "today",
    "unpack_people",
    "unpack_simulator",
    "upgrades_of",
    "what_if",
    "with_answers",
    "with_best_offer",
    "with_best_price",
    "with_budget",
]
