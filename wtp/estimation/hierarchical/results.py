"""What a hierarchical fit says: population, respondents, draws, convergence, and how well it predicts.

Everything is on the columns of the data. Notation: R kept draws of all chains, N respondents, K coefficients, M columns of z.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from statsmodels.iolib.summary import Summary
from statsmodels.iolib.table import SimpleTable

from wtp.estimation import convergence, diagnostics
from wtp.estimation.choice_data import ChoiceData
from wtp.estimation.diagnostics import Note
from wtp.estimation.draws import POSTERIOR, Draws
from wtp.estimation.hierarchical.watched import Watched
from wtp.estimation.holdout import Prediction, chosen_probabilities, predict_holdout

FINAL, PRELIMINARY, NOT_CONVERGED = "final", "preliminary", "not converged"
FEWEST_TASKS = 4
_BLOCK = 50
_RLH_DRAWS = 200
_NOT_CONVERGED = (
    "The chains have not converged (R-hat {r_hat:.3f}, wanted {limit}; effective draws {ess:.0f}, wanted 400): the figures may still move; "
    "let them run longer."
)
_PRELIMINARY = "The chains are nearly converged (R-hat {r_hat:.3f}): the figures are preliminary; let them run longer for final ones."
_FEW_TASKS = "{count} respondents answered fewer than {limit} choice tasks: their own part-worths rest on the population more than on their answers."


@dataclass(frozen=True, eq=False, slots=True)
class Sampled:
    """Draws by chain: individual (n, N, K), population (n, M + K, K) with D above S, watched (chains, sweeps, Q)."""

    individual: tuple[np.ndarray, ...]
    population: tuple[np.ndarray, ...]
    watched: np.ndarray


@dataclass(frozen=True, eq=False)
class HierarchicalResults:
    """A finished hierarchical fit; read-only.

    status: "final", "preliminary" or "not converged", by R-hat and effective draws of what is reported (`HierarchicalLogit.fit`). sweeps: a chain, after `warmup`.
    generalise: figures are about the customers whom the respondents stand for, so that who happened to be asked is part of every interval; False: about the
    respondents alone (`dataclasses.replace`).
    """

    data: ChoiceData
    sampled: Sampled
    coding: np.ndarray
    signs: np.ndarray
    Z: np.ndarray
    covariate_names: tuple[str, ...]
    watched: Watched
    prior: object
    status: str
    warmup: int
    sweeps: int
    seed: int
    seconds: float
    generalise: bool = True

    @property
    def respondents(self) -> int:
        """Number of respondents N."""
        return len(self.data.respondents)

    @property
    def choice_tasks(self) -> int:
        """Number of choice tasks."""
        return len(self.data.starts)

    @property
    def alternatives(self) -> int:
        """Number of alternative rows."""
        return len(self.data.X)

    @property
    def converged(self) -> bool:
        """Whether the stop rule for final figures is met."""
        return self.status == FINAL

    @property
    def chain(self) -> np.ndarray:
        """(R,) chain of each kept draw."""
        return np.repeat(np.arange(len(self.sampled.individual)), [len(draws) for draws in self.sampled.individual])

    @cached_property
    def draws(self) -> np.ndarray:
        """(R, N, K) draws of all respondents' coefficients; in memory. For many respondents use `blocks`."""
        return np.concatenate(self.sampled.individual)

    def blocks(self) -> list[np.ndarray]:
        """The same draws as views of at most 50, for work in little memory."""
        return [d[i : i + _BLOCK] for d in self.sampled.individual for i in range(0, len(d), _BLOCK)]

    @cached_property
    def individual(self) -> pd.DataFrame:
        """Posterior mean coefficients, one row a respondent, one column a parameter."""
        total = np.zeros((self.respondents, len(self.data.names)))
        for block in self.blocks():
            total += block.sum(axis=0, dtype=float)
        index = pd.Index(self.data.respondents, name="respondent")
        return pd.DataFrame(total / len(self.chain), index=index, columns=list(self.data.names))

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean, standard deviation and median (R, K) of the coefficients in the population of the average z, in each draw."""
        draws = np.concatenate(self.sampled.population).astype(float)
        k = len(self.data.names)
        location, covariance = draws[:, 0], draws[:, -k:]
        variances = np.einsum("rkk->rk", covariance)
        signed = self.signs != 0
        mean = np.where(signed, self.signs * np.exp(np.where(signed, location + variances / 2, 0.0)), location)
        median = np.where(signed, self.signs * np.exp(np.where(signed, location, 0.0)), location)
        # Covariances of (log-)normals: Cov(exp a, b) = E[exp a] Cov(a, b), Cov(exp a, exp b) = E[exp a] E[exp b] (exp Cov(a, b) - 1).
        one, both = np.logical_xor.outer(signed, signed), np.logical_and.outer(signed, signed)
        factor = np.where(signed, mean, 1.0)
        scaled = covariance * factor[:, :, None] * factor[:, None, :]
        inside = np.where(
            both,
            np.expm1(np.where(both, covariance, 0.0)) * factor[:, :, None] * factor[:, None, :],
            np.where(one, scaled, covariance),
        )
        spread = np.einsum("ab,rbc,ac->ra", self.coding, inside, self.coding)
        return mean @ self.coding.T, np.sqrt(np.maximum(spread, 0.0)), median @ self.coding.T

    @cached_property
    def population(self) -> pd.DataFrame:
        """The population of the average respondent: one column a parameter.

        Rows mean, std_error, low, high (of that mean, 95 per cent), sd (spread of tastes), median. A signed coefficient is log-normal, so its mean is
        larger in size than its median.
        """
        mean, spread, median = self._moments
        low, high = np.quantile(mean, [0.025, 0.975], axis=0)
        rows = {"mean": mean.mean(axis=0), "std_error": mean.std(axis=0, ddof=1), "low": low, "high": high, "sd": spread.mean(axis=0), "median": median.mean(axis=0)}  # fmt: skip
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.data.names))

    @property
    def params(self) -> pd.Series:
        """Posterior means of the population means, (K,)."""
        return self.population.T["mean"].rename(None)

    @cached_property
    def covariate_effects(self) -> pd.DataFrame:
        """What a covariate moves: covariate, parameter, estimate, std_error, low, high; on the log scale for signed coefficients."""
        draws = np.concatenate(self.sampled.population).astype(float)
        rows = []
        for m, covariate in enumerate(self.covariate_names[1:], 1):
            effects = np.where(self.signs != 0, 0.0, draws[:, m]) @ self.coding.T
            effects[:, self.signs != 0] = draws[:, m][:, self.signs != 0]
            low, high = np.quantile(effects, [0.025, 0.975], axis=0)
            rows += list(zip([covariate] * effects.shape[1], self.data.names, effects.mean(axis=0), effects.std(axis=0, ddof=1), low, high, strict=True))  # fmt: skip
        return pd.DataFrame(rows, columns=["covariate", "parameter", "estimate", "std_error", "low", "high"])

    @cached_property
    def diagnostics(self) -> pd.DataFrame:
        """r_hat, ess_bulk, ess_tail, ess_mean, reported of every watched quantity: population means and log variances on the inside coding, figures over respondents, log-likelihood."""
        names = self.data.names
        index = [
            f"{name}" if m == 0 else f"{covariate}:{name}"
            for m, covariate in enumerate(self.covariate_names)
            for name in names
        ]
        index += self.watched.labels
        reported = len(index)
        index += [f"log_variance.{name}" for name in names] + ["log_likelihood"]
        watched = self.sampled.watched
        return pd.DataFrame(
            {
                "r_hat": convergence.r_hat(watched),
                "ess_bulk": convergence.ess_bulk(watched),
                "ess_tail": convergence.ess_tail(watched),
                "ess_mean": convergence.ess_mean(watched),
                "reported": np.arange(len(index)) < reported,
            },
            index=pd.Index(index, name="quantity"),
        )

    @property
    def convergence(self) -> tuple[float, float]:
        """Largest R-hat and smallest effective number of draws (bulk or tail) of what is reported."""
        table = self.diagnostics[self.diagnostics["reported"]]
        return float(table["r_hat"].max()), float(table[["ess_bulk", "ess_tail"]].min().min())

    @cached_property
    def _chosen(self) -> np.ndarray:
        """(T,) posterior mean probability of each choice."""
        return chosen_probabilities(self.data, self._spaced(_RLH_DRAWS))

    @property
    def llf(self) -> float:
        """Log-likelihood of the choices at their posterior mean probabilities; in the sample it always looks good."""
        return float(np.log(self._chosen).sum())

    @property
    def llnull(self) -> float:
        """Log-likelihood of equal shares."""
        return -float(np.log(self.data.sizes).sum())

    @cached_property
    def rlh(self) -> pd.Series:
        """Root likelihood of each respondent: geometric mean of the posterior mean probabilities of the choices; chance is 1 / alternatives."""
        logs = np.add.reduceat(np.log(self._chosen), self.data.first_tasks)
        tasks = np.bincount(self.data.respondent, minlength=self.respondents)
        return pd.Series(np.exp(logs / tasks), index=self.individual.index, name="rlh")

    def holdout(self, tasks: ChoiceData) -> Prediction:
        """How well held-out tasks of the same respondents are predicted, beside the pooled logit and chance."""
        return predict_holdout(self.data, self._spaced(_RLH_DRAWS), tasks)

    def log_scores(self, tasks: ChoiceData) -> np.ndarray:
        """(T,) log-probability of what was chosen in held-out tasks of the same respondents."""
        place = pd.Index(self.data.respondents).get_indexer(tasks.respondents)
        return np.asarray(np.log(chosen_probabilities(tasks, self._spaced(_RLH_DRAWS)[:, place])))

    def simulate(self, draws: int = 2_000, seed: int = 0) -> Draws:
        """Posterior draws (R, N, K) of the respondents: all that were kept, or so many evenly spaced; with their survey weights.

        To generalise, each draw weights them as a Bayesian bootstrap does, see `Draws.generalised`.
        """
        weights = np.ones(self.respondents) if self.data.weights is None else self.data.weights
        drawn = Draws(self._spaced(draws), (weights / weights.sum())[None, :], POSTERIOR)
        return drawn.generalised([self.seed, seed]) if self.generalise else drawn

    def segment(self, members: np.ndarray, stands_for: np.ndarray | None = None) -> HierarchicalSegment:
        """Some of the respondents, (N,) booleans, as a fit of their own for everything in money; no new estimation."""
        return HierarchicalSegment(self, members, stands_for)

    def _spaced(self, draws: int) -> np.ndarray:
        each = max(1, draws // len(self.sampled.individual))
        parts = [d[np.linspace(0, len(d) - 1, min(each, len(d))).round().astype(int)] for d in self.sampled.individual]
        return np.concatenate(parts)

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What an analyst must know before using the figures."""
        r_hat, ess = self.convergence
        notes: list[Note] = []
        if self.status == NOT_CONVERGED:
            notes.append(Note("not_converged", "warning", _NOT_CONVERGED, {"r_hat": r_hat, "ess": ess, "limit": 1.01}))
        elif self.status == PRELIMINARY:
            notes.append(Note("preliminary", "warning", _PRELIMINARY, {"r_hat": r_hat}))
        notes += diagnostics.sample_size_notes(self.respondents)
        few = int((np.bincount(self.data.respondent, minlength=self.respondents) < FEWEST_TASKS).sum())
        if few:
            notes.append(Note("few_tasks", "warning", _FEW_TASKS, {"count": few, "limit": FEWEST_TASKS}))
        return tuple(notes)

    def summary(self) -> Summary:
        """Population table with convergence, in the manner of statsmodels."""
        population, table = self.population.T, self.diagnostics
        head = [
            ["Model:", "Hierarchical logit", "Status:", self.status],
            ["Respondents:", f"{self.respondents:,}", "Chains:", f"{len(self.sampled.individual)}"],
            ["Choice tasks:", f"{self.choice_tasks:,}", "Sweeps, after warm-up:", f"{self.sweeps:,} ({self.warmup:,})"],
            ["Alternatives:", f"{self.alternatives:,}", "Largest R-hat:", f"{self.convergence[0]:.4f}"],
            [
                "Mean RLH:",
                f"{self.rlh.mean():.4f}",
                "Smallest ESS:",
                f"{self.convergence[1]:.0f}",
            ],
            ["Log-likelihood:", f"{self.llf:.4f}", "Seed:", f"{self.seed}"],
        ]
        columns = ["mean", "std err", "2.5%", "97.5%", "sd", "median", "r_hat", "ess"]
        rows = [
            [f"{v:.4f}" for v in (*row[["mean", "std_error", "low", "high", "sd", "median"]], table["r_hat"].iloc[i])]
            + [f"{table['ess_bulk'].iloc[i]:.0f}"]
            for i, (_, row) in enumerate(population.iterrows())
        ]
        summary = Summary()
        summary.tables.append(SimpleTable(head, title="Hierarchical Bayes logit (Rossi, Allenby and McCulloch 2005)"))
        summary.tables.append(SimpleTable(rows, headers=columns, stubs=list(self.data.names)))
        extra = [
            "mean, sd, median: of the coefficients in the population; std err and interval: of the mean. r_hat and ess: of the location inside.",
            *(f"{note.severity}: {note}" for note in self.notes),
        ]
        summary.add_extra_txt(extra)
        return summary


@dataclass(frozen=True, eq=False, slots=True)
class HierarchicalSegment:
    """The respondents of a segment within a hierarchical fit of everybody: (N,) booleans.

    stands_for: how many customers each member stands for, (members,), times the survey weight; None for as many each.
    """

    fit: HierarchicalResults
    members: np.ndarray
    stands_for: np.ndarray | None = None

    @property
    def data(self) -> ChoiceData:
        """The choice data of everybody."""
        return self.fit.data

    @property
    def respondents(self) -> int:
        """Number of members."""
        return int(self.members.sum())

    @property
    def status(self) -> str:
        """Convergence of the whole fit."""
        return self.fit.status

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the number of members allows."""
        return diagnostics.sample_size_notes(self.respondents)

    def simulate(self, draws: int = 2_000, seed: int = 0) -> Draws:
        """Posterior draws (R, members, K), weights summing to 1."""
        drawn = self.fit.simulate(draws, seed).of(self.members)
        return drawn if self.stands_for is None else drawn.reweighted(self.stands_for)
