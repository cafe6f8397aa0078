"""The codebook: every exported column with its type, what its codes mean in every language, and whether a cell may be empty.

Answers carry the author's own words; what the program itself adds is described in English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from wtp.export.expectation_columns import EXPECTATIONS
from wtp.export.process_columns import PROCESS_COLUMNS
from wtp.export.purchase_columns import PURCHASE_COLUMNS
from wtp.export.question_columns import answer_columns
from wtp.export.wave_columns import MEASURES, OF_WAVES
from wtp.survey.definition import Definition

_MAY_BE_EMPTY = "empty cell"
_NOT_OF_THE_LABEL = "empty cell: offers of this label do not have it"
# (table, column, type, may be empty, text)
_FIXED = (
    ("respondents", "respondent", "whole number", False, "pseudonym, counts from 1 within the study"),
    ("respondents", "simulated", "true or false", False, "true: not a person's answers"),
    ("respondents", "left_out", "true or false", False, "true: an analyst left this respondent out of all figures"),
    ("respondents", "language", "code", False, "language of the interview"),
    ("respondents", "design_version", "whole number", False, "version of the design that was shown; 0: imported"),
    ("respondents", "started_at", "time", False, "consent given, UTC"),
    ("respondents", "completed_at", "time", True, "last page saved, UTC; empty: not finished"),
    ("respondents", "outcome", "code", True, "completed, screened_out, over_quota; empty: still open"),
    ("respondents", "source", "code", True, "how the respondent came: link, invitation, panel, import"),
    ("respondents", "imported", "text", True, "file, its hash and day of import; empty: answered here"),
    ("times", "respondent", "whole number", False, "as in respondents"),
    ("times", "step", "text", False, "page or choice task of the interview"),
    ("times", "seconds", "number", False, "from first shown to first saved, time out of sight taken off"),
    ("times", "simulated", "true or false", False, "as in respondents"),
    ("choices", "respondent", "whole number", False, "as in respondents"),
    ("choices", "choice_task", "whole number", False, "number of the choice task in the design version"),
    (
        "choices",
        "kind",
        "code",
        False,
        "estimation, holdout (equal for all, not estimated), repeat (asked again) or warm_up (first, counts nowhere)",
    ),
    ("choices", "order", "whole number", False, "place of the task in the interview, from 1"),
    ("choices", "position", "whole number", False, "place of the alternative on the page, from 1"),
    (
        "choices",
        "alternative",
        "whole number",
        False,
        "number of the alternative in the design; 0: none of these, shown as one more alternative",
    ),
    ("choices", "chosen", "0 or 1", False, "1: chosen, 0: not"),
    ("choices", "buys", "0 or 1", True, "would the chosen one really be bought? 1 yes, 0 no, empty: not asked"),
    ("choices", "design_version", "whole number", False, "as in respondents"),
    ("choices", "simulated", "true or false", False, "as in respondents"),
    ("choices", "definition_hash", "text", False, "version of the survey's wording that was shown"),
    ("design", "version", "whole number", False, "version of the design"),
    ("design", "choice_task", "whole number", False, "number of the choice task in the version"),
    ("design", "kind", "code", False, "as in choices"),
    ("design", "repeats", "whole number", True, "number of the choice task that a repeat asks again"),
    ("design", "alternative", "whole number", False, "number of the alternative in its task"),
    *MEASURES,
    ("levels", "attribute", "code", False, "attribute, or price"),
    ("levels", "level", "code", False, "level of it, or the price"),
    (
        "levels",
        "column",
        "text",
        False,
        "column of its part-worth in individual_part_worths and draws; of the price the coefficient",
    ),
    ("levels", "price", "money", True, "the price, where the row is one"),
    ("levels", "current", "true or false", False, "today's offer has it"),
    ("levels", "unit_cost", "money", True, "extra cost of providing it, beyond the cheapest level"),
    ("levels", "investment", "money", True, "spent once to provide it"),
)
# Tables with rows of their own in the codebook; all others are `results`.
OWN_TABLES = frozenset(table for table, *_ in _FIXED)
# Columns of the result tables mean the same in each of them: column -> (type, text)
_RESULTS = {
    "segment": ("code", "all: everybody; else a segment of the survey"),
    "attribute": ("code", "attribute, as in choices"),
    "level": ("code", "level of the attribute"),
    "from_level": ("code", "level that is compared with: today's"),
    "to_level": ("code", "level that the figure is about"),
    "parameter": ("text", "name of the parameter or step in the model"),
    "offer_label": ("code", "label of the offers whose price tells the amount; empty where it is the same for all"),
    "estimate": ("number", "estimate; money in the survey's currency, part-worths in logits"),
    "std_error": ("number", "standard error, clustered by respondent"),
    "low": ("number", "lower end of the interval"),
    "high": ("number", "upper end of the interval"),
    "method": ("code", "how the interval was made; in methods the way of asking"),
    "currency": ("code", "currency of the amounts"),
    "item": ("code", "item of the question, event of a script, day of a time grid, or step of the customer's process"),
    "count": ("whole number", "respondents who gave this answer"),
    "middle": ("number", "median of a number that was asked"),
    "lower_quartile": ("number", "a quarter of the answers lies below it"),
    "upper_quartile": ("number", "a quarter of the answers lies above it"),
    "unsure": ("whole number", "respondents who do not know"),
    "centre": ("number", "geometric mean of the points, closed to their total"),
    "zeros": ("share", "respondents who gave no point"),
    "rank_low": ("number", "lower end of its interval"),
    "rank_high": ("number", "upper end of its interval"),
    "first": ("share", "respondents who put the item first"),
    "share_low": ("share", "lower end of the interval of the share"),
    "share_high": ("share", "upper end of the interval of the share"),
    "place": ("number", "mean place of the item in the rankings"),
    "place_low": ("number", "lower end of its interval"),
    "place_high": ("number", "upper end of its interval"),
    "agreement_low": ("number", "lower end of its interval"),
    "agreement_high": ("number", "upper end of its interval"),
    "attractive": ("whole number", "answers in this category of Kano"),
    "one_dimensional": ("whole number", "answers in this category"),
    "must_be": ("whole number", "answers in this category"),
    "indifferent": ("whole number", "answers in this category"),
    "reverse": ("whole number", "answers in this category"),
    "questionable": ("whole number", "answers in this category"),
    "category": ("code", "the most frequent category of Kano"),
    "decided": ("true or false", "it clearly leads the second (Fong's rule)"),
    "better": ("number", "how far having the feature satisfies, 0 to 1"),
    "better_low": ("number", "lower end of its interval"),
    "better_high": ("number", "upper end of its interval"),
    "worse": ("number", "how far lacking it dissatisfies, -1 to 0"),
    "worse_low": ("number", "lower end of its interval"),
    "worse_high": ("number", "upper end of its interval"),
    "utility": ("number", "utility of an item in logits: zero-centred, or with an anchor against the threshold of mattering"),
    "matters": ("per cent", "chance that the item stands above the threshold of mattering"),
    "matters_low": ("per cent", "lower end of its interval"),
    "matters_high": ("per cent", "upper end of its interval"),
    "shown": ("whole number", "best-worst tasks in which the item was shown"),
    "worst": ("whole number", "tasks in which it was the least important"),
    "points": ("number", "rating points against today's level"),
    "points_low": ("number", "lower end of its interval"),
    "points_high": ("number", "upper end of its interval"),
    "one": ("code", "method or grouping that is compared"),
    "other": ("code", "what it is compared with"),
    "shared": ("whole number", "attributes that both methods asked about"),
    "correlation": ("number", "Spearman's rank correlation"),
    "version": ("text", "hash of a version of the survey's wording, as in choices"),
    "use": ("code", "current, counted, not_counted (could be, if asked for), different (never counted)"),
    "changes": ("text", "what changed since this version, with the survey's identifiers"),
    "price_ratio": ("number", "how strongly the price moved the choices of the version, the current one is 1"),
    "respondents": ("whole number", "respondents behind the figure"),
    "simulated_respondents": ("whole number", "simulated respondents among all of the study"),
    "note": ("text", "why a figure is withheld, or how to read it"),
    "choice_tasks": ("whole number", "estimated choice tasks"),
    "weight_of_evidence": ("code", "none: below 30 respondents; indication: 30 to 74; full"),
    "price_z": ("number", "price coefficient over its standard error, positive where a higher price repels"),
    "estimator": ("code", "what amounts and price limits come from: hierarchical, latent, mixed, conditional or none"),
    "r_hat": ("number", "largest R-hat of the hierarchical model; at most 1.01 is final"),
    "quantity": ("code", "what the chains of the hierarchical model are watched by: coefficients of the population (by covariates with a colon), worth of levels, quartiles of the price limits, spread of tastes, log-likelihood"),
    "reported": ("true or false", "pages and tables rest on it; else it is watched beside"),
    "ess_bulk": ("number", "effective number of draws in the middle of the distribution"),
    "ess_tail": ("number", "effective number of draws in its tails"),
    "settled": ("true or false", "within the stop rule of final figures"),
    "sweep": ("whole number", "sweep after the warm-up, from 1"),
    "watched": ("number", "value of the quantity in this sweep"),
    "ess": ("number", "smallest effective number of draws of the hierarchical model; at least 400 is final"),
    "pooled_hit_rate": ("share", "held-out choices that the pooled logit predicts"),
    "hit_rate": ("share", "held-out choices that the figures predict"),
    "chance": ("share", "held-out choices that chance would predict"),
    "retest": ("share", "repeated choice tasks that were answered alike"),
    "log_likelihood": ("number", "log-likelihood of the fit"),
    "mcfadden": ("number", "McFadden's pseudo R squared"),
    "importance": ("per cent", "share of the summed part-worth ranges"),
    "noise_floor": ("per cent", "importance that an attribute nobody heeds would reach"),
    "mean": ("number", "mean of the answers, as of ratings in points"),
    "price": ("money", "price"),
    "share": ("share", "in best_worst per cent of all items; else share of people or of demand that the row is about; with prices: that would still buy at them"),
    "offer": ("code", "own: today's offer; else a competitor of the survey file, or none"),
    "firm": ("code", "who sets the price of the offer"),
    "rule": ("code", "how choices become shares: preference, first_choice, randomized_first_choice"),
    "against": ("code", "described: the competitors of the survey file; sampled: random ones; nothing: not buying"),
    "objective": ("code", "what the price or offer is best for: profit, revenue, share"),
    "flat_low": ("money", "lowest price whose expected profit (or revenue) is within 2 per cent of the best"),
    "flat_high": ("money", "highest such price"),
    "value": ("money", "what is reached: profit or revenue a year; of an attribute its worth; of a window what it adds for 100 customers and year; of a price test its share, reach or revenue"),
    "value_low": ("money", "lower end of its interval"),
    "value_high": ("money", "upper end of its interval"),
    "revenue": ("money", "revenue a year"),
    "revenue_low": ("money", "lower end of its interval"),
    "revenue_high": ("money", "upper end of its interval"),
    "profit": ("money", "profit a year before fixed cost"),
    "profit_low": ("money", "lower end of its interval"),
    "profit_high": ("money", "upper end of its interval"),
    "price_of": ("code", "whose price changes"),
    "elasticity": ("number", "per cent by which the share changes if that price rises by one per cent"),
    "change": ("number", "difference to today's offer: of a share, or of a limit in money"),
    "change_low": ("number", "lower end of its interval"),
    "change_high": ("number", "upper end of its interval"),
    "loss": ("share", "share lost at a lower level"),
    "loss_high": ("share", "its upper bound, 90 per cent sure"),
    "bearable": ("true or false", "surely less than 2 per cent of the market"),
    "censored": ("share", "draws in which the amount lies outside of the tested prices"),
    "today": ("money", "today's price"),
    "is_equilibrium": ("true or false", "no firm earns more by another price"),
    "policy": ("text", "one price for all, or a price for each segment"),
    "rank": ("number", "the best first"),
    "quantile": ("share", "share of respondents below the amount"),
    "kind": ("code", "of a surcharge: safe, limit, stretch; of a variable: category or number"),
    "amount": ("money", "amount that the worth is held against, such as the extra cost"),
    "limit": ("money", "price upper limit after the step"),
    "share_gain": ("money", "gain a year if the price stays as it is"),
    "share_gain_low": ("money", "lower end of its interval"),
    "share_gain_high": ("money", "upper end of its interval"),
    "share_probability": ("share", "probability that this gain is above 0"),
    "wrong": ("share", "probability that the label is wrong"),
    "worth_of_knowing": ("money", "a year, by which certainty would improve the decision at most"),
    "decision": ("code", "price_limit, or the attribute whose label it is"),
    "half_width": ("money", "half of the interval of the price upper limit"),
    "target": ("money", "half-width that is exact enough"),
    "asked": ("whole number", "respondents who were asked: this price, or the repeated choice task"),
    "agreed": ("share", "of them chose the same offer again"),
    "kappa": ("share", "agreement beyond chance, of what is possible"),
    "attenuation": ("share", "strength at which effects on choices show if every disagreement is a slip"),
    "slips": ("share", "choices that miss the preferred offer, if every disagreement is a slip"),
    "part_worth": ("number", "part-worth of the step, raw, from the forced choices alone"),
    "part_worth_low": ("number", "lower end of its interval"),
    "part_worth_high": ("number", "upper end of its interval"),
    "corrected": ("number", "part-worth of the step without slips; a sensitivity view"),
    "corrected_low": ("number", "lower end of its interval"),
    "corrected_high": ("number", "upper end of its interval"),
    "worth_corrected": ("money", "worth of the step without slips; a sensitivity view"),
    "worth_corrected_low": ("money", "lower end of its interval"),
    "worth_corrected_high": ("money", "upper end of its interval"),
    "labels": ("whole number", "attributes whose label decides something"),
    "expected_wrong": ("number", "how many of them are expected to be wrong"),
    "cumulative": ("money", "investment up to this row"),
    "gain_per_money": ("number", "gain a year for each unit of money invested"),
    "hint": ("code", "tell: there and honoured, but seen as worse than the rival's; split, conflict: segments want different levels"),
    "segments": ("text", "which segments; in found_quality how many groups"),
    "own": ("number", "mean rating of this company"),
    "own_low": ("number", "lower end of its interval"),
    "own_high": ("number", "upper end of its interval"),
    "own_reach": ("number", "half-width along the own rating of the joint region of rating and worth"),
    "own_value_reach": ("money", "half-width along the worth of the joint region of own rating and worth"),
    "own_correlation": ("number", "correlation of own rating and worth over the draws; the region is an ellipse"),
    "gap_reach": ("number", "half-width along the gap of the joint region of gap and worth"),
    "gap_value_reach": ("money", "half-width along the worth of that region"),
    "gap_correlation": ("number", "correlation of gap and worth over the draws"),
    "rival": ("number", "mean rating of its rival"),
    "gap": ("number", "own less rival rating; of expectations experience less expectation; of methods rank by the choices less rank by the method; between price methods: highest over lowest less 1; of groups: Tibshirani's gap statistic"),
    "gap_low": ("number", "lower end of its interval"),
    "gap_high": ("number", "upper end of its interval"),
    "gap_error": ("number", "its error"),
    "stated": ("number", "mean stated importance"),
    "stated_rank": ("number", "its rank among the attributes"),
    "value_rank": ("number", "rank of the worth"),
    "agreement": ("text", "whether people pay for what they say matters; of rankings Kendall's W, 0 to 1"),
    "verdict": ("code", "of ways of asking: said_more, chosen_more, agree, undecided; of price methods: agree, disagree, single; of groups: good, weak, do not use; of expectations: missed, exceeded; of strengths: keep_tell, tell, fix, behind, over_delivered, let_be, undecided"),
    "sentence": ("text", "the verdict in words"),
    "checks": ("text", "what contradicts it"),
    "cautious": ("money", "stated less what people overstate"),
    "cautious_low": ("money", "lower end of what other studies found"),
    "cautious_high": ("money", "upper end of what other studies found"),
    "source": ("text", "where the overstatement is known from"),
    "variable": ("code", "question, or item of a rating"),
    "answer": ("code", "answer, or mean; of times the time band"),
    "statistic": ("number", "chi-square or F; of the process n (mean - all)^2 / variance summed over segments"),
    "effect": ("number", "Cramer's V or eta squared; of a covariate what one standard deviation more moves, in logits"),
    "p_value": ("share", "p-value"),
    "p_adjusted": ("share", "p-value by Benjamini and Hochberg over all variables; of scripts by Holm over all rows"),
    "differs": ("true or false", "with at most 10 per cent false discoveries; of the process and of scripts with a false claim in at most 5 per cent of studies (in script_agreement: there is a common order)"),
    "pooled": ("money", "worth, moved to the common mean by how little the segment knows"),
    "pooled_low": ("money", "lower end of its interval"),
    "pooled_high": ("money", "upper end of its interval"),
    "weight": ("share", "weight of the segment's own figure in it"),
    "scale": ("number", "how consistently the segment chooses, the first is 1"),
    "tastes": ("number", "likelihood ratio: different tastes, beyond consistency"),
    "tastes_df": ("whole number", "its degrees of freedom"),
    "tastes_p": ("share", "its p-value"),
    "scale_statistic": ("number", "likelihood ratio: different consistency"),
    "scale_df": ("whole number", "its degrees of freedom"),
    "scale_p": ("share", "its p-value"),
    "group": ("whole number", "group of respondents found by what they would pay, 1 is the largest; in up_selling of offers, 1 is the least likely to be taken"),
    "respondent": ("whole number", "number of the respondent, as in respondents"),
    "figure": ("code", "revenue, profit; of purchases cross_selling, up_selling, discount, families; of two waves worth, price_limit, importance, performance, gap, met, expectation_gap, stated, rating"),
    "jaccard": ("share", "how alike the group is in bootstrapped samples"),
    "stability": ("number", "median adjusted Rand index over bootstrapped samples"),
    "null_stability": ("number", "the same of data of one group"),
    "smallest": ("whole number", "respondents of the smallest group"),
    "usable": ("true or false", "every group has 30 respondents and 8 per cent"),
    "declared": ("code", "declared segment"),
    "adjusted_rand": ("number", "agreement of two groupings, such as declared and found segments, 1 is the same"),
    "step": ("whole number", "order of the questions of the typing tool"),
    "question": ("code", "question, or item of a rating"),
    "expected_hit_rate": ("share", "of the typing tool, to expect of new people"),
    "stands_for": ("number", "customers whom the respondent stands for, mean 1"),
    "rlh": ("share", "root likelihood: geometric mean of the probabilities of the respondent's choices"),
    "simulated": ("true or false", "as in respondents"),
    "draw": ("whole number", "draw of the hierarchical model"),
    "chain": ("whole number", "chain that the draw is of"),
    "price_coefficient": ("number", "utility of one currency unit, in logits"),
    "none_constant": ("number", "utility of not buying, in logits"),
    "left_out_respondents": ("whole number", "respondents whom an analyst left out of the figures"),
    "score": ("number", "of an answer for a group; the highest sum tells the group"),
    "raw": ("share", "share of yes before demand was made to fall"),
    "median": ("money", "median of the fitted distribution of reservation prices"),
    "sigma": ("number", "its spread on the log scale"),
    "best": ("code", "reach or revenue (Newton, Miller and Smith); of best-worst tasks how often the item was most important"),
    "near_low": ("money", "lowest price within 5 per cent of the best"),
    "near_high": ("money", "highest such price"),
    "reach": ("share", "mean purchase probability"),
    "reach_low": ("share", "lower end of its interval"),
    "reach_high": ("share", "upper end of its interval"),
    "status": ("code", "of a price limit: final, preliminary or withheld; of certainty: settled, more, too_few, too_close, withheld"),
    "safe": ("money", "price at which three quarters would still buy"),
    "safe_low": ("money", "lower end of its interval"),
    "safe_high": ("money", "upper end of its interval"),
    "stretch": ("money", "price at which a quarter would still buy"),
    "stretch_low": ("money", "lower end of its interval"),
    "stretch_high": ("money", "upper end of its interval"),
    "direction": ("code", "up or down: one level from today's"),
    "worth": ("money", "what customers would pay for a step up, or lose by a step down"),
    "worth_low": ("money", "lower end of its interval"),
    "worth_high": ("money", "upper end of its interval"),
    "unit_cost": ("money", "extra cost of providing, a customer and purchase; negative: saved"),
    "investment": ("money", "spent once"),
    "gain": ("money", "gain a year"),
    "gain_low": ("money", "lower end of its interval"),
    "gain_high": ("money", "upper end of its interval"),
    "probability": ("share", "probability that the gain is above 0, that the gap has its sign, or of the verdict"),
    "label": ("code", "invest, save, keep, undecided; without costs honoured, not_honoured, expected, open"),
    "break_even": ("money", "largest extra cost (up) or smallest saving (down) at which the step pays, 90 per cent sure"),
    "more_answers": ("whole number", "further respondents that would decide an undecided attribute"),
    "point": ("code", "PMC, OPP, IDP or PME of Van Westendorp; limit, safe, stretch, revenue or profit of other price tests"),
    "excluded": ("whole number", "respondents left out because their four prices do not rise"),
    "too_cheap": ("share", "respondents to whom the price is too cheap"),
    "cheap": ("share", "respondents to whom it is a bargain"),
    "expensive": ("share", "respondents to whom it is getting expensive"),
    "too_expensive": ("share", "respondents to whom it is too expensive"),
    **OF_WAVES,
    **PURCHASE_COLUMNS,
    **PROCESS_COLUMNS,
    **EXPECTATIONS,
}  # fmt: skip


def codebook(definition: Definition) -> pd.DataFrame:
    """table, column, code, type, missing, and one column of text a language.

    A row without a code describes the column itself; `missing` says how a value that is not there looks, if it may be missing.
    The table `results` stands for all tables of figures, in which a column always means the same.
    """
    languages = definition.languages
    rows: list[dict[str, str]] = []

    def add(table: str, column: str, code: str, kind: str, missing: str, texts: Mapping[str, str]) -> None:
        row = {"table": table, "column": column, "code": code, "type": kind, "missing": missing}
        rows.append(row | {language: texts[language] for language in languages})

    for table, column, kind, may_be_empty, text in _FIXED:
        add(table, column, "", kind, _MAY_BE_EMPTY if may_be_empty else "", dict.fromkeys(languages, text))
    for asked in answer_columns(definition):
        for label in asked.labels:
            add("respondents", asked.name, "", asked.kind, _MAY_BE_EMPTY, label)
        for code, label in asked.codes:
            add("respondents", asked.name, code, asked.kind, "", label)
    for attribute in definition.attributes:
        add("choices", attribute.id, "", "code", _NOT_OF_THE_LABEL if attribute.only else "", attribute.label)
        for level in attribute.levels:
            add("choices", attribute.id, level.id, "code", "", level.label)
    price = {x: f"{definition.price.label[x]}, {definition.currency} {definition.price.unit[x]}" for x in languages}
    add("choices", "price", "", "money", "", price)
    _add_results(definition, add)
    return pd.DataFrame(rows)


def _add_results(definition: Definition, add: Callable[[str, str, str, str, str, Mapping[str, str]], None]) -> None:
    """The columns of the tables of figures."""
    languages = definition.languages
    for column, (kind, text) in _RESULTS.items():
        add("results", column, "", kind, _MAY_BE_EMPTY, dict.fromkeys(languages, text))
    for attribute in definition.attributes:
        steps = {x: f"worth of the step, {attribute.label[x]}, in found groups" for x in languages}
        add("results", f"{attribute.id}[from -> to]", "", "money", _MAY_BE_EMPTY, steps)
        add("results", f"level.{attribute.id}", "", "code", _MAY_BE_EMPTY, attribute.label)
        for level in attribute.levels:
            worth = {x: f"part-worth, {attribute.label[x]}: {level.label[x]}" for x in languages}
            add("results", f"{attribute.id}.{level.id}", "", "number", "", worth)
    for segment in definition.segments:
        add("results", "segment", segment.id, "code", "", segment.label)
