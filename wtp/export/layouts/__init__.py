"""The choice data in the layouts that other software reads, each as a zip with a note and a script that fits a logit on it: `LAYOUTS`.

All hold the estimation tasks of those who are not left out. With dual-response none, every task is two observations, as in our own likelihood (Brazell et al. 2006): which alternative, and then that one
against not buying. bayesm and Sawtooth's .cho know no such pair; there none is one more alternative, chosen where the purchase question was answered no.
"""

from wtp.export.layouts.bayesm import write_bayesm
from wtp.export.layouts.long import write_logitr, write_mlogit, write_xlogit
from wtp.export.layouts.sawtooth import write_sawtooth
from wtp.export.layouts.wide import write_apollo, write_biogeme

LAYOUTS = {
    "logitr": write_logitr,
    "mlogit": write_mlogit,
    "apollo": write_apollo,
    "biogeme": write_biogeme,
    "xlogit": write_xlogit,
    "sawtooth": write_sawtooth,
    "bayesm": write_bayesm,
}

__all__ = ["LAYOUTS"]
