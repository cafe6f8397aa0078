"""Why customers call, and what came of it: rates with their trend, what mattered most, frequent questions, measures, and how far two coders agree.

Frames have one row a contact, with the columns of the store and `person`: who called, for contacts of nobody known each a person of its own. Counts of a month
vary more than Poisson counts, since one fault brings many calls; so intervals are quasi-Poisson (McCullagh and Nelder 1989, ch. 6), widened by the dispersion
that is found and never narrowed. Where figures are of people and not of calls, every person counts once, however often he called.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.proportion import proportion_confint

DAYS_A_MONTH = 30.4375
FEWEST_MONTHS, FEWEST_CONTACTS = 6, 20  # below them no trend is looked for
SHORTEST_MONTH = 0.25  # of a first or last month less than that is not told
TREND_ERROR = 0.05  # that any trend is claimed where there is none, of all reasons together
REPEAT_DAYS = 30
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Window:
    """The time that contacts are told of: first and last moment, in UTC; all figures of a study have the same."""

    start: pd.Timestamp
    end: pd.Timestamp

    @property
    def months(self) -> pd.DataFrame:
        """month (such as "2026-05") and exposure, the part of a mean month that lies in the window; first and last may be short."""
        names = pd.period_range(self.start.tz_localize(None), self.end.tz_localize(None), freq="M")
        begins = names.start_time.tz_localize("UTC")
        ends = (names + 1).start_time.tz_localize("UTC")
        first = begins.where(begins > self.start, self.start)
        last = ends.where(ends < self.end, self.end)
        days = np.maximum((last - first) / pd.Timedelta(days=1), 1 / 24)
        return pd.DataFrame({"month": names.astype(str), "exposure": days / DAYS_A_MONTH})


def window_of(times: pd.Series) -> Window:
    """From the first contact to the last."""
    return Window(times.min(), times.max())


def months_of(times: pd.Series, window: Window) -> np.ndarray:
    """Place of the month of each time (UTC) among the months of the window, from 0."""
    utc, start = times.dt.tz_convert("UTC"), window.start.tz_convert("UTC")
    return np.asarray((utc.dt.year - start.year) * 12 + utc.dt.month - start.month, dtype=int)


def reason_rates(
    contacts: pd.DataFrame, reasons: Sequence[str], *, window: Window, customers: float, confidence: float
) -> pd.DataFrame:
    """Contacts per 100 customers and month by reason, first of `any` reason, with interval and trend.

    customers: how many the contacts come from. Columns reason, contacts, customers, rate, low, high, dispersion (variance over that of Poisson counts), trend,
    trend_low, trend_high (change of the rate a month, 0.05 is 5 per cent), trend_p, clear: "rising" or "falling" where Holm's test of all reasons
    together finds a trend with an error of 5 per cent, else "". Without six months and twenty contacts no trend is looked for.
    """
    rows, exposure = [], window.months["exposure"].to_numpy()
    months, people, why = months_of(contacts["happened_at"], window), contacts["person"], contacts["reason"].to_numpy()
    for reason in ("any", *reasons):
        mine = np.full(len(contacts), True) if reason == "any" else why == reason
        counts = np.bincount(months[mine], minlength=len(exposure))
        found = _rate(counts, exposure, customers, confidence)
        rows.append({"reason": reason, "contacts": int(mine.sum()), "customers": people[mine].nunique(), **found})
    table = pd.DataFrame(rows)
    clear = np.full(len(table), "", dtype=object)
    own = np.flatnonzero(table["trend_p"].notna() & table["reason"].ne("any"))
    if len(own):
        sure = _holm(table["trend_p"].iloc[own].to_numpy())
        clear[own[sure]] = np.where(table["trend"].iloc[own[sure]] > 0, "rising", "falling")
    if len(table) and table["trend_p"].iloc[0] < TREND_ERROR:
        clear[0] = "rising" if table["trend"].iloc[0] > 0 else "falling"
    return table.assign(clear=clear.astype(str))


def _holm(p: np.ndarray) -> np.ndarray:
    """(K,) which of several tests hold together with the error TREND_ERROR (Holm 1979); statsmodels' own collects garbage for a tenth of a second each time."""
    order = np.argsort(p)
    held = np.logical_and.accumulate(p[order] <= TREND_ERROR / np.arange(len(p), 0, -1))
    return held[np.argsort(order)]


def _rate(counts: np.ndarray, exposure: np.ndarray, customers: float, confidence: float) -> dict[str, float]:
    """Rate and trend of monthly counts (M,) with their exposure (M,) in months."""
    total, unit = counts.sum(), customers / 100 * exposure.sum()
    dispersion, df, trend = 1.0, 0, dict.fromkeys(("trend", "trend_low", "trend_high", "trend_p"), _NAN)
    if len(counts) >= FEWEST_MONTHS and total >= FEWEST_CONTACTS:
        dispersion, df, trend = _trend(counts, exposure, confidence)
    elif len(counts) > 2 and total:
        expected = total * exposure / exposure.sum()
        df = len(counts) - 1
        dispersion = max(1.0, float(((counts - expected) ** 2 / expected).sum() / df))
    low, high = poisson_interval(total, dispersion, df, confidence)
    return {"rate": total / unit, "low": low / unit, "high": high / unit, "dispersion": dispersion, **trend}


def _trend(counts: np.ndarray, exposure: np.ndarray, confidence: float) -> tuple[float, int, dict[str, float]]:
    """Dispersion, its degrees of freedom, and the change a month of a log-linear quasi-Poisson model, with Student's t."""
    middle = np.cumsum(exposure) - exposure / 2
    design = np.column_stack([np.ones(len(counts)), middle - middle.mean()])
    fit = GLM(counts, design, family=Poisson(), offset=np.log(exposure)).fit()
    df = len(counts) - 2
    dispersion = max(1.0, float(fit.pearson_chi2) / df)
    slope, error = float(fit.params[1]), float(np.sqrt(fit.cov_params()[1, 1] / fit.scale * dispersion))
    reach = float(stats.t.isf((1 - confidence) / 2, df)) * error
    return (
        dispersion,
        df,
        {
            "trend": float(np.expm1(slope)),
            "trend_low": float(np.expm1(slope - reach)),
            "trend_high": float(np.expm1(slope + reach)),
            "trend_p": 2 * float(stats.t.sf(abs(slope) / error, df)),
        },
    )


def poisson_interval(total: float, dispersion: float, df: int, confidence: float) -> tuple[float, float]:
    """The exact interval of a Poisson mean (Garwood 1936) for `total / dispersion`, times the dispersion; wider where that was estimated with `df` degrees of freedom."""
    tail = (1 - confidence) / 2
    if df:
        tail = float(stats.norm.sf(stats.t.isf(tail, df)))
    seen = total / dispersion
    low = stats.gamma.ppf(tail, seen) if seen > 0 else 0.0
    return float(low * dispersion), float(stats.gamma.isf(tail, seen + 1) * dispersion)


def monthly(
    contacts: pd.DataFrame, rate: pd.Series, *, window: Window, customers: float, confidence: float
) -> pd.DataFrame:
    """month, contacts, customers, rate per 100 customers with interval, and the fitted course; `rate`: the row of any reason of `reason_rates`. Without months of which less than a quarter is in the window."""
    months = window.months
    places = months_of(contacts["happened_at"], window)
    counts = np.bincount(places, minlength=len(months))
    people = contacts.groupby(places)["person"].nunique().reindex(range(len(months)), fill_value=0).to_numpy()
    exposure = months["exposure"].to_numpy()
    unit = customers / 100 * exposure
    ends = np.array([poisson_interval(count, float(rate["dispersion"]), 0, confidence) for count in counts])
    middle = np.cumsum(exposure) - exposure / 2
    slope = np.log1p(rate["trend"]) if pd.notna(rate["trend"]) else 0.0
    course = np.exp(slope * middle)
    course *= counts.sum() / (course * exposure).sum() / (customers / 100)
    return pd.DataFrame(
        {"month": months["month"], "contacts": counts, "customers": people, "rate": counts / unit, "low": ends[:, 0] / unit, "high": ends[:, 1] / unit, "course": course}
    )[exposure >= SHORTEST_MONTH].reset_index(drop=True)  # fmt: skip


def what_mattered(contacts: pd.DataFrame, items: Sequence[str], *, confidence: float) -> pd.DataFrame:
    """What mattered most, every person counted once: item, customers, share, low, high.

    The share is the mean of a Dirichlet posterior with the prior 1/2 for each item, the interval that of its beta margin.
    """
    shares = _person_shares(contacts, "mattered_most", items)
    counts, n, half = shares.sum().to_numpy(), len(shares), len(items) / 2
    tail = (1 - confidence) / 2
    after = stats.beta(counts + 0.5, n - counts + half - 0.5)
    return pd.DataFrame(
        {"item": list(items), "customers": (shares > 0).sum().to_numpy(), "share": after.mean(), "low": after.ppf(tail), "high": after.isf(tail)}
    )  # fmt: skip


def _person_shares(contacts: pd.DataFrame, column: str, codes: Sequence[str]) -> pd.DataFrame:
    """(persons, codes): how a person's contacts divide; those that say nothing are left out."""
    said = contacts[contacts[column].isin(list(codes))]
    table = pd.crosstab(said["person"], said[column]).reindex(columns=list(codes), fill_value=0)
    return table.div(table.sum(axis=1), axis=0)


def differs(contacts: pd.DataFrame, items: Sequence[str], *, seed: int, permutations: int = 999) -> float:
    """p that segments differ this much in what mattered most by chance alone: a permutation test of persons, with the chi-squared statistic. NaN where there are not two segments."""
    shares = _person_shares(contacts, "mattered_most", items)
    first = contacts.dropna(subset=["segment"]).groupby("person")["segment"].first()
    shares = shares[shares.index.isin(first.index)]
    labels, names = pd.factorize(first.reindex(shares.index))
    if len(names) < 2:
        return _NAN
    values = shares.to_numpy()
    values = values[:, values.sum(0) > 0]
    sizes = np.bincount(labels)[:, None]
    expected = sizes * values.mean(0)

    def statistic(order: np.ndarray) -> float:
        seen = np.vstack([values[order == name].sum(0) for name in range(len(names))])
        return float(((seen - expected) ** 2 / expected).sum())

    rng, found = np.random.default_rng([seed, 21]), statistic(labels)
    chance = np.array([statistic(rng.permutation(labels)) for _ in range(permutations)])
    return float((1 + (chance >= found - 1e-9).sum()) / (permutations + 1))


def remedies(contacts: pd.DataFrame, codes: Sequence[str], *, window: Window, confidence: float) -> pd.DataFrame:
    """Measures and what came of them: remedy, contacts, customers, known (whether it is solved), known_customers, solved, low, high; followed, followed_customers, repeated, repeated_low, repeated_high.

    repeated: share of contacts of known customers, at least 30 days before the end, after which the same customer was in contact again within 30 days.
    Intervals are Wilson's (1927), of as many contacts as their persons are worth.
    """
    ordered = contacts.sort_values(["person", "happened_at"], kind="stable")
    wait = ordered.groupby("person")["happened_at"].shift(-1) - ordered["happened_at"]
    again = (wait <= pd.Timedelta(days=REPEAT_DAYS)).reindex(contacts.index)
    followed = contacts["customer_id"].notna() & (
        contacts["happened_at"] <= window.end - pd.Timedelta(days=REPEAT_DAYS)
    )
    rows = []
    for code in codes:
        mine = contacts["remedy"] == code
        known = contacts.loc[mine, "solved"].dropna().astype(bool)
        seen = again[mine & followed]
        rows.append(
            {
                "remedy": code,
                "contacts": int(mine.sum()),
                "customers": contacts.loc[mine, "person"].nunique(),
                "known": len(known),
                "known_customers": contacts.loc[known.index, "person"].nunique(),
                **_share("solved", known, contacts["person"], confidence, ("low", "high")),
                "followed": len(seen),
                "followed_customers": contacts.loc[seen.index, "person"].nunique(),
                **_share("repeated", seen, contacts["person"], confidence, ("repeated_low", "repeated_high")),
            }
        )
    return pd.DataFrame(rows)


def _share(name: str, seen: pd.Series, person: pd.Series, confidence: float, ends: tuple[str, str]) -> dict[str, float]:
    """Share of contacts; the interval counts them as so many as their persons are worth (Kish 1965), since one person's contacts are alike."""
    if not len(seen):
        return dict.fromkeys((name, *ends), _NAN)
    share, each = float(seen.mean()), person[seen.index].value_counts().to_numpy(dtype=float)
    worth = each.sum() ** 2 / (each**2).sum()
    low, high = proportion_confint(share * worth, worth, alpha=1 - confidence, method="wilson")
    return {name: share, ends[0]: float(low), ends[1]: float(high)}


def effort(contacts: pd.DataFrame, reasons: Sequence[str], *, confidence: float) -> pd.DataFrame:
    """Minutes and staff's impression by reason: reason, contacts, customers, timed_customers, minutes (median), lower_quartile, upper_quartile, judged (persons), impression, low, high.

    The impression is the mean of the persons' means on the form's scale of 1 to 5, with its t interval.
    """
    rows = []
    for reason in reasons:
        mine = contacts[contacts["reason"] == reason]
        minutes = mine["minutes"].dropna().to_numpy(dtype=float)
        quartiles = np.quantile(minutes, [0.5, 0.25, 0.75]) if len(minutes) else (_NAN,) * 3
        means = mine.dropna(subset=["impression"]).groupby("person")["impression"].mean().to_numpy(dtype=float)
        mean = float(means.mean()) if len(means) else _NAN
        reach = _NAN
        if len(means) > 1:
            reach = float(stats.t.isf((1 - confidence) / 2, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means)))
        rows.append(
            {
                "reason": reason,
                "contacts": len(mine),
                "customers": mine["person"].nunique(),
                "timed_customers": mine.dropna(subset=["minutes"])["person"].nunique(),
                **dict(zip(("minutes", "lower_quartile", "upper_quartile"), map(float, quartiles), strict=True)),
                "judged": len(means),
                "impression": mean,
                "low": mean - reach,
                "high": mean + reach,
            }
        )
    return pd.DataFrame(rows)
