"""Columns of the tables about purchases and about groupings of respondents, for the codebook: type and meaning."""

from __future__ import annotations

PURCHASE_COLUMNS = {
    "part": ("code", "offers: choices between offers; purchase: buying or not"),
    "grouping": ("code", "declared: by the answers; contacts: core problem of contacts; classes: latent; none: everybody alike"),
    "groups": ("whole number", "groups of the grouping"),
    "hit": ("share", "mean probability of what was chosen, of people who had no part in the fit"),
    "gained": ("number", "mean logarithm of this probability, less that of no groups"),
    "explains": ("true or false", "what is gained is above 0 with its whole interval"),
    "explains_best": ("true or false", "so, and clearly above every other grouping"),
    "purchases": ("code", "with or without what customers bought"),
    "customers": ("whole number", "customers behind the figure"),
    "log_score": ("number", "mean logarithm of the probability of held-out choices"),
    "forecast": ("share", "mean probability that a step up is worth more than its surcharge to the customer"),
    "taken": ("share", "offers of a step up that were taken"),
    "offers": ("whole number", "offers of a step up"),
    "family": ("text", "product family"),
    "simulated_purchases": ("whole number", "simulated purchases among all of the study"),
    "covariate": ("code", "what was bought: bought_families, bought_step_ups, bought_discount, each in standard deviations"),
}  # fmt: skip
