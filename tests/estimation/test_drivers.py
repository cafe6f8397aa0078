"""Derived importance: the definition over orders of entry by statsmodels, identities, intervals, what goes wrong."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from wtp.errors import DataError, EstimationError
from wtp.estimation.drivers import driver_importance, lmg, relative_weights

NAMES = ["range", "speed", "staff", "brand"]
EFFECTS = [0.2, 0.8, 0.5, 0.0]


def rated(n: int = 200, *, halo: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Four ratings with a halo, and satisfaction that follows EFFECTS."""
    rng = np.random.default_rng(seed)
    ratings = rng.normal(size=(n, 4)) + halo * rng.normal(size=(n, 1))
    frame = pd.DataFrame(ratings, columns=NAMES)
    return frame.assign(satisfaction=ratings @ EFFECTS + rng.normal(size=n))


def r_squared(frame: pd.DataFrame, drivers: list[str]) -> float:
    if not drivers:
        return 0.0
    return float(sm.OLS(frame["satisfaction"], sm.add_constant(frame[drivers])).fit().rsquared)


def codes(result: object) -> list[str]:
    return [note.code for note in result.notes]  # type: ignore[attr-defined]


def test_lmg_is_the_mean_gain_over_all_orders_of_entry() -> None:
    frame = rated()
    expected = dict.fromkeys(NAMES, 0.0)
    orders = list(permutations(NAMES))
    for order in orders:
        for place, name in enumerate(order):
            before = list(order[:place])
            expected[name] += (r_squared(frame, [*before, name]) - r_squared(frame, before)) / len(orders)
    table = driver_importance(frame, "satisfaction", NAMES, bootstrap=10).table
    assert table["importance"].tolist() == pytest.approx([expected[name] for name in NAMES], abs=1e-12)


@pytest.mark.parametrize("method", ["lmg", "relative_weights"])
@pytest.mark.parametrize("k", [2, 5, 12])
def test_the_parts_add_up_to_r_squared(method: str, k: int) -> None:
    rng = np.random.default_rng(k)
    X = rng.normal(size=(120, k)) + rng.normal(size=(120, 1))
    names = [f"d{i}" for i in range(k)]
    frame = pd.DataFrame(X, columns=names).assign(satisfaction=X @ rng.normal(size=k) + 4 * rng.normal(size=120))
    result = driver_importance(frame, "satisfaction", names, method=method, bootstrap=20)  # type: ignore[arg-type]
    assert result.r_squared == pytest.approx(r_squared(frame, names), abs=1e-12)
    assert result.table["importance"].sum() == pytest.approx(result.r_squared, abs=1e-12)
    assert result.table["share"].sum() == pytest.approx(100)
    standard = (frame - frame.mean()) / frame.std()
    beta = sm.OLS(standard["satisfaction"], standard[names]).fit().params
    assert result.table["coefficient"].tolist() == pytest.approx(beta.tolist(), abs=1e-10)


def test_two_drivers_by_hand() -> None:
    """r1 = 0.6, r2 = 0.5, r12 = 0.3: R2 = (0.36 + 0.25 - 2 * 0.6 * 0.5 * 0.3) / (1 - 0.09); each part is half of (own r2 + what it adds)."""
    matrix = np.array([[[1, 0.3, 0.6], [0.3, 1, 0.5], [0.6, 0.5, 1]]])
    total = 0.43 / 0.91
    parts = [(0.36 + total - 0.25) / 2, (0.25 + total - 0.36) / 2]
    assert lmg(matrix)[0].tolist() == pytest.approx(parts, abs=1e-14)
    assert relative_weights(matrix)[0].tolist() == pytest.approx(parts, abs=1e-14)


def test_relative_weights_follow_johnsons_regressions() -> None:
    """The outcome on the closest orthonormal columns of the drivers (by their singular value decomposition), and the drivers on these."""
    frame = rated()
    standard = ((frame - frame.mean()) / frame.std(ddof=0)).to_numpy() / np.sqrt(len(frame))
    X, y = standard[:, :4], standard[:, 4]
    left, _, right = np.linalg.svd(X, full_matrices=False)
    closest = left @ right
    weights = (X.T @ closest) ** 2 @ (closest.T @ y) ** 2
    found = driver_importance(frame, "satisfaction", NAMES, method="relative_weights", bootstrap=10).table
    assert found["importance"].tolist() == pytest.approx(weights.tolist(), abs=1e-12)


def test_uncorrelated_drivers_keep_their_squared_correlations() -> None:
    full = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)] * 6, dtype=float)
    noise = np.tile(full.prod(axis=1)[:8], 6)
    frame = pd.DataFrame(full, columns=list("abc")).assign(y=full @ [3, 2, 1] + noise)
    for method in ("lmg", "relative_weights"):
        table = driver_importance(frame, "y", list("abc"), method=method, bootstrap=10).table  # type: ignore[arg-type]
        assert table["importance"].tolist() == pytest.approx([9 / 15, 4 / 15, 1 / 15], abs=1e-12)
        assert table["rank"].tolist() == [1, 2, 3]


def test_the_order_and_the_unit_of_the_drivers_do_not_matter() -> None:
    frame = rated()
    one = driver_importance(frame, "satisfaction", NAMES, bootstrap=50, seed=2).table.set_index("driver")
    changed = frame.assign(speed=frame["speed"] * 1e6 + 1e7, brand=frame["brand"] * -1e-4)
    other = driver_importance(changed, "satisfaction", NAMES[::-1], bootstrap=50, seed=2).table.set_index("driver")
    columns = ["importance", "low", "high", "share"]
    assert np.allclose(one.loc[NAMES, columns], other.loc[NAMES, columns], rtol=1e-6)


def test_intervals_are_those_of_resampled_respondents() -> None:
    """Against a plain bootstrap that refits each sample."""
    frame, rng = rated(80), np.random.default_rng(5)
    plain = [
        driver_importance(frame.iloc[rng.integers(0, 80, 80)], "satisfaction", NAMES, bootstrap=0).table["importance"]
        for _ in range(400)
    ]
    expected = np.quantile(plain, [0.05, 0.95], axis=0)
    result = driver_importance(frame, "satisfaction", NAMES, bootstrap=2_000, confidence=0.9, seed=1)
    found = result.table[["low", "high"]].to_numpy().T
    assert np.abs(found - expected).max() < 0.035
    assert (result.table["low"] <= result.table["importance"]).all()
    assert (result.table["rank_low"] <= result.table["rank"]).all()
    assert result.r_squared_low < result.r_squared < result.r_squared_high
    again = driver_importance(frame, "satisfaction", NAMES, bootstrap=2_000, confidence=0.9, seed=1)
    assert again.table.equals(result.table)


def test_whole_persons_are_drawn() -> None:
    """Ten copies of each person are no more information than one."""
    frame = rated(60).assign(person=np.arange(60))
    copies = pd.concat([frame] * 10).sample(frac=1, random_state=1)
    one = driver_importance(frame, "satisfaction", NAMES, respondent="person", bootstrap=1_000).table
    ten = driver_importance(copies, "satisfaction", NAMES, respondent="person", bootstrap=1_000)
    apart = driver_importance(copies, "satisfaction", NAMES, bootstrap=1_000).table
    assert np.allclose(one["importance"], ten.table["importance"])
    width = (one["high"] - one["low"]).to_numpy()
    assert np.allclose(ten.table["high"] - ten.table["low"], width, rtol=0.2, atol=0.01)
    assert ((apart["high"] - apart["low"]) < 0.5 * width).all()
    assert ten.respondents == 60


def test_the_persons_mean_can_be_taken_off() -> None:
    """A halo that carries the outcome makes an idle driver look important; without the person's mean it does not stand out."""
    rng = np.random.default_rng(3)
    mood = 3 * rng.normal(size=(500, 1))
    ratings = pd.DataFrame(rng.normal(size=(500, 4)) + mood, columns=NAMES)
    y = ratings["speed"] + 0.5 * rng.normal(size=500)
    frame = ratings.assign(satisfaction=y)
    raw = driver_importance(frame, "satisfaction", NAMES, bootstrap=20).table.set_index("driver")
    centred = driver_importance(frame, "satisfaction", NAMES, remove_person_mean=True, bootstrap=20)
    assert raw.loc["brand", "share"] > 18
    assert centred.table.set_index("driver").loc["speed", "share"] > 1.4 * raw.loc["speed", "share"]
    own = frame[NAMES].sub(frame[NAMES].mean(axis=1), axis=0).assign(satisfaction=frame["satisfaction"])
    assert centred.r_squared == pytest.approx(r_squared(own, NAMES[:3]), abs=1e-10)
    assert centred.table["importance"].sum() == pytest.approx(centred.r_squared)
    assert "person_mean_removed" in codes(centred)
    assert "redundant_drivers" not in codes(centred)


@pytest.mark.parametrize("method", ["lmg", "relative_weights"])
def test_a_driver_that_is_there_twice_shares_with_its_copy(method: str) -> None:
    frame = rated().assign(copy=lambda f: 2 * f["speed"] + 1)
    result = driver_importance(frame, "satisfaction", [*NAMES, "copy"], method=method, bootstrap=20)  # type: ignore[arg-type]
    parts = result.table.set_index("driver")["importance"]
    assert parts["copy"] == pytest.approx(parts["speed"])
    assert result.r_squared == pytest.approx(r_squared(frame, NAMES), abs=1e-10)
    assert "redundant_drivers" in codes(result)
    assert not result.table.isna().to_numpy().any()


def test_rows_with_a_missing_answer_are_left_out_and_counted() -> None:
    frame = rated(50)
    frame.loc[3, "speed"] = np.nan
    frame.loc[7, "satisfaction"] = np.nan
    result = driver_importance(frame, "satisfaction", NAMES, bootstrap=20)
    assert (result.rows, result.excluded, result.respondents) == (48, 2, 48)
    note = next(note for note in result.notes if note.code == "missing_answers")
    assert "2 of 50" in str(note)
    whole = driver_importance(frame.dropna(), "satisfaction", NAMES, bootstrap=20)
    assert whole.table.equals(result.table)


def test_notes() -> None:
    assert codes(driver_importance(rated(40), "satisfaction", NAMES, bootstrap=0)) == ["association"]
    assert "too_small" in codes(driver_importance(rated(25), "satisfaction", NAMES, bootstrap=0))
    turned = rated(100, halo=0).assign(speed=lambda f: -f["speed"])
    note = driver_importance(turned, "satisfaction", NAMES, bootstrap=0).notes[-1]
    assert (note.code, note.values["drivers"]) == ("negative_driver", "speed")


def test_a_column_that_stands_still_in_some_replicates_does_no_harm() -> None:
    frame = rated(12).assign(rare=[1.0] + [0.0] * 11)
    table = driver_importance(frame, "satisfaction", ["speed", "rare"], bootstrap=300).table
    assert np.isfinite(table.to_numpy()[:, 1:].astype(float)).all()


@pytest.mark.parametrize(
    ("change", "arguments", "error", "words"),
    [
        ({}, {"drivers": ["range", "price"]}, DataError, "no column 'price'; found: range"),
        ({}, {"drivers": ["range", "range"]}, DataError, "named twice"),
        ({}, {"drivers": ["range"]}, EstimationError, "at least 2"),
        ({}, {"method": "shapley"}, EstimationError, "found 'shapley'; allowed: lmg"),
        ({"speed": "fast"}, {}, DataError, "column 'speed', row 1: 'fast' is not a finite number"),
        ({"speed": np.inf}, {}, DataError, "column 'speed', row 1: 'inf'"),
        ({"speed": 4.0}, {}, EstimationError, "column 'speed': the same value"),
        ({"satisfaction": 4.0}, {}, EstimationError, "column 'satisfaction': the same value"),
        ({"speed": np.nan}, {}, EstimationError, "0 complete rows for 4 drivers"),
    ],
)
def test_errors_say_where_and_what_to_do(
    change: dict[str, object], arguments: dict[str, object], error: type[Exception], words: str
) -> None:
    frame = rated(50).assign(**change)
    with pytest.raises(error, match=words):
        driver_importance(frame, "satisfaction", **{"drivers": NAMES, "bootstrap": 0} | arguments)  # type: ignore[arg-type]


def test_lmg_is_for_few_drivers() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(50, 14)), columns=[f"d{i}" for i in range(14)])
    with pytest.raises(EstimationError, match="up to 12 with method 'lmg'"):
        driver_importance(frame, "d13", list(frame.columns[:13]))
    assert len(driver_importance(frame, "d13", list(frame.columns[:13]), method="relative_weights").table) == 13
