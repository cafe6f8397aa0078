"""Has a sampler arrived? Rank-normalised split R-hat and effective sample sizes (Vehtari, Gelman, Simpson, Carpenter, Buerkner 2021).

All functions take draws (chains, draws, Q quantities) and return (Q,); they say nothing (NaN) of a quantity that never moved.
"""

from __future__ import annotations

import numpy as np
from scipy import fft, special, stats


def r_hat(draws: np.ndarray) -> np.ndarray:
    """Rank-normalised split R-hat, the larger of the one for location and the one for spread (eq. 4 and section 4.2)."""
    halves = _split(draws)
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    return np.asarray(np.maximum(_r_hat(_rank_normalised(halves)), _r_hat(_rank_normalised(folded))))


def r_hat_and_ess(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`r_hat`, and the smaller of `ess_bulk` and `ess_tail`; ranks are taken once for both."""
    halves = _split(draws)
    ranked, folded = _rank_normalised(halves), np.abs(halves - np.median(halves, axis=(0, 1)))
    return np.maximum(_r_hat(ranked), _r_hat(_rank_normalised(folded))), np.fmin(_ess(ranked), ess_tail(draws))


def ess_bulk(draws: np.ndarray) -> np.ndarray:
    """Effective number of draws for the centre of the distribution (section 4.3)."""
    return _ess(_rank_normalised(_split(draws)))


def ess_tail(draws: np.ndarray) -> np.ndarray:
    """Effective number of draws for the 5 and 95 per cent quantiles, the smaller of the two (section 4.3)."""
    halves = _split(draws)
    low, high = np.quantile(draws, [0.05, 0.95], axis=(0, 1))
    return np.asarray(np.fmin(_ess((halves <= low).astype(float)), _ess((halves <= high).astype(float))))


def ess_mean(draws: np.ndarray) -> np.ndarray:
    """Effective number of draws for the mean, without ranks (section 3.2): its Monte Carlo error is sd / sqrt(ESS)."""
    return _ess(_split(draws))


def _split(draws: np.ndarray) -> np.ndarray:
    """Each chain in two halves; the middle draw of an odd number is left out."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]]).astype(float)


def _rank_normalised(draws: np.ndarray) -> np.ndarray:
    flat = draws.reshape(-1, draws.shape[-1])
    ranks = stats.rankdata(flat, axis=0)
    # Ranks are multiples of a half, so that the normal quantiles of all columns come from one table.
    quantiles = special.ndtri((np.arange(2, 2 * len(flat) + 1) / 2 - 3 / 8) / (len(flat) + 1 / 4))
    finite = np.isfinite(ranks)
    places = np.where(finite, 2 * ranks, 2).astype(int) - 2
    return np.asarray(np.where(finite, quantiles[places], np.nan)).reshape(draws.shape)


def _r_hat(draws: np.ndarray) -> np.ndarray:
    n = draws.shape[1]
    within = draws.var(axis=1, ddof=1).mean(axis=0)
    between = draws.mean(axis=1).var(axis=0, ddof=1)
    moved = within > 0
    ratio = np.divide(between, within, out=np.full_like(within, np.nan), where=moved)
    return np.asarray(np.sqrt((n - 1) / n + ratio))


def _ess(draws: np.ndarray) -> np.ndarray:
    """Geyer's initial monotone sequence over the autocorrelations of all chains (eq. 10 to 13)."""
    chains, n, quantities = draws.shape
    if n < 4:
        return np.full(quantities, np.nan)
    away = draws - draws.mean(axis=1, keepdims=True)
    spectrum = fft.rfft(away, fft.next_fast_len(2 * n), axis=1)
    covariance = fft.irfft(np.abs(spectrum) ** 2, fft.next_fast_len(2 * n), axis=1)[:, :n].mean(axis=0) / n
    within = covariance[0] * n / (n - 1)
    total = covariance[0] + (draws.mean(axis=1).var(axis=0, ddof=1) if chains > 1 else 0.0)
    moved = total > 0
    correlation = 1 - np.divide(within - covariance, total, out=np.ones_like(covariance), where=moved)
    correlation[0] = 1
    pairs = correlation[0 : n - n % 2 : 2] + correlation[1:n:2]
    positive = np.logical_and.accumulate(pairs > 0, axis=0)
    positive[0], positive[max(1, (n - 3) // 2) :] = True, False  # the last lags rest on too few pairs of draws
    decreasing = np.minimum.accumulate(pairs, axis=0)
    # The first even term beyond the positive pairs still counts where it is positive.
    last = positive.sum(axis=0)
    beyond = np.take_along_axis(correlation[::2], np.minimum(last, len(correlation[::2]) - 1)[None], axis=0)[0]
    tau = (
        -1
        + 2 * np.where(positive, decreasing, 0.0).sum(axis=0)
        + np.where(last < len(pairs), np.maximum(beyond, 0.0), 0.0)
    )
    tau = np.maximum(tau, 1 / np.log10(chains * n))
    return np.asarray(np.where(moved, chains * n / tau, np.nan))
