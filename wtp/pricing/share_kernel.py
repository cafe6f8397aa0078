"""Compiled sums of logit shares over respondents and draws; everything here runs without Python's lock.

Utilities are (J, R N): one row an offer, the last one none where there is one; draws follow each other, respondents within a draw.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from wtp.estimation.compiled import exp_block

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_BLOCK = 512


@_compiled
def share_sums(utilities: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(R, J) weighted sums over respondents of exp(v_j) / sum_k exp(v_k), of utilities (J, R N) and weights (R or 1, N)."""
    offers = utilities.shape[0]
    people = weights.shape[1]
    draws = utilities.shape[1] // people
    found = np.zeros((draws, offers))
    terms, highest, total = np.empty((offers, _BLOCK)), np.empty(_BLOCK), np.empty(_BLOCK)
    moved, scratch = np.empty(_BLOCK), np.empty(_BLOCK)
    for r in range(draws):
        own = weights[r if weights.shape[0] > 1 else 0]
        for start in range(0, people, _BLOCK):
            n = min(_BLOCK, people - start)
            first = r * people + start
            for i in range(n):
                highest[i] = utilities[0, first + i]
                total[i] = 0.0
            for j in range(1, offers):
                for i in range(n):
                    highest[i] = max(highest[i], utilities[j, first + i])
            for j in range(offers):
                for i in range(n):
                    moved[i] = utilities[j, first + i] - highest[i]
                exp_block(moved[:n], terms[j, :n], scratch[:n])
                for i in range(n):
                    total[i] += terms[j, i]
            for i in range(n):
                total[i] = own[start + i] / total[i]
            for j in range(offers):
                sum_ = 0.0
                for i in range(n):
                    sum_ += terms[j, i] * total[i]
                found[r, j] += sum_
    return found


_lanes = njit(nogil=True, cache=True, error_model="numpy", fastmath=True)


@_lanes
def _leaf(odds: np.ndarray, last: np.ndarray, weights: np.ndarray, lost: np.ndarray) -> tuple[np.float32, np.float32]:
    """Sums of w s and of w b s over a block, s = x / (1 + x), x = odds * last."""
    taken = np.float32(0.0)
    given = np.float32(0.0)
    for i in range(len(odds)):
        x = odds[i] * last[i]
        s = weights[i] * (x / (np.float32(1.0) + x))
        taken += s
        given += s * lost[i]
    return taken, given


@_compiled
def profile_sums(
    odds: np.ndarray, sizes: np.ndarray, weights: np.ndarray, lost: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over M respondents and draws of the share s of every profile, and of s times what the firm's other offers lose by it.

    odds (L, M): exp of the part-worths of the levels of all attributes in turn, sizes (A,) how many belong to each; those of the first attribute
    hold the odds of everything else. The profile with levels (l_1, .., l_A) has the odds of their product and stands at that place in C order.
    """
    attributes = len(sizes)
    firsts = np.zeros(attributes, dtype=np.int64)
    profiles = 1
    for a in range(attributes):
        if a > 0:
            firsts[a] = firsts[a - 1] + sizes[a - 1]
        profiles *= sizes[a]
    taken, given = np.zeros(profiles), np.zeros(profiles)
    prefix = np.empty((attributes, _BLOCK), dtype=np.float32)
    at = np.zeros(attributes, dtype=np.int64)
    for start in range(0, odds.shape[1], _BLOCK):
        n = min(_BLOCK, odds.shape[1] - start)
        block = odds[:, start : start + n].copy()
        w, b = weights[start : start + n], lost[start : start + n]
        at[:] = 0
        depth = 0
        for profile in range(0, profiles, sizes[attributes - 1]):
            # Products of the levels before the last attribute, from the first one that changed.
            for a in range(depth, attributes - 1):
                for i in range(n):
                    before = prefix[a - 1, i] if a > 0 else np.float32(1.0)
                    prefix[a, i] = before * block[firsts[a] + at[a], i]
            for last in range(sizes[attributes - 1]):
                own = prefix[attributes - 2, :n]
                s, t = _leaf(own, block[firsts[attributes - 1] + last], w, b)
                taken[profile + last] += s
                given[profile + last] += t
            depth = attributes - 2
            while depth >= 0:
                at[depth] += 1
                if at[depth] < sizes[depth]:
                    break
                at[depth] = 0
                depth -= 1
            depth = max(depth, 0)
    return taken, given
