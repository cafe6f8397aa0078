"""What the choices mean: choice data in, statsmodels results and tidy tables out; usable without the web application."""

from wtp.estimation.best_worst import BestWorstLogit, BestWorstResults, item_table
from wtp.estimation.best_worst_data import BestWorstData, best_worst_choices
from wtp.estimation.bootstrap import Bootstrap, bootstrap
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.class_selection import select_classes
from wtp.estimation.coding import part_worths
from wtp.estimation.conditional_logit import ConditionalLogit, ConditionalLogitResults, parameter_table
from wtp.estimation.conditional_results import price_linearity
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import Draws, krinsky_robb
from wtp.estimation.drivers import DriverImportance, driver_importance
from wtp.estimation.hierarchical import HierarchicalLogit, HierarchicalPrior, HierarchicalResults, prior_sensitivity
from wtp.estimation.importance import importance
from wtp.estimation.kano import Kano, kano
from wtp.estimation.labelled import fit_of
from wtp.estimation.latent_class import LatentClassLogit
from wtp.estimation.latent_results import LatentClassResults
from wtp.estimation.mixed_logit import MixedLogit
from wtp.estimation.mixed_results import MixedLogitResults
from wtp.estimation.rankings import Rankings, ranking_table
from wtp.estimation.ratings import RatingConjoint, RatingResults
from wtp.estimation.saved import load_fit
from wtp.estimation.stated_importance import StatedImportance, constant_sum, direct_importance

__all__ = [
    "BestWorstData",
    "BestWorstLogit",
    "BestWorstResults",
    "Bootstrap",
    "ChoiceData",
    "ConditionalLogit",
    "ConditionalLogitResults",
    "Draws",
    "DriverImportance",
    "HierarchicalLogit",
    "HierarchicalPrior",
    "HierarchicalResults",
    "Kano",
    "LatentClassLogit",
    "LatentClassResults",
    "MixedLogit",
    "MixedLogitResults",
    "Note",
    "Rankings",
    "RatingConjoint",
    "RatingResults",
    "StatedImportance",
    "best_worst_choices",
    "bootstrap",
    "constant_sum",
    "direct_importance",
    "driver_importance",
    "fit_of",
    "importance",
    "item_table",
    "kano",
    "krinsky_robb",
    "load_fit",
    "parameter_table",
    "part_worths",
    "price_linearity",
    "prior_sensitivity",
    "ranking_table",
    "select_classes",
]
