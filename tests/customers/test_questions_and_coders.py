"""The five questions with their ranks, what is not seen yet, and how far coders agree: known structure is found again, none is not made up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.customers.conftest import Calls
from wtp.customers.coders import POOR, coder_agreement, in_words
from wtp.customers.frequent import frequent_questions, unseen
from wtp.customers.simulated_contacts import flat_truth, simulated_codings, truth_of
from wtp.survey import Survey
from wtp.survey.contacts import OTHER, contact_codes

SURE = 0.9


@pytest.fixture(scope="module")
def listed(survey: Survey) -> list[str]:
    codes = contact_codes(survey.definition)
    assert codes is not None
    return list(codes["question"])


def asked(*questions: str | None, person: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"question": list(questions), "person": person or range(len(questions))})


# Questions


def test_shares_and_ranks_of_questions_are_found_again(calls: Calls, survey: Survey, listed: list[str]) -> None:
    truth = truth_of(survey.definition)
    real = {code: share / (1 - truth.questions[OTHER]) for code, share in truth.questions.items() if code != OTHER}
    order = sorted(real, key=real.__getitem__, reverse=True)
    shares, ranks = [], []
    for seed in range(20):
        found = frequent_questions(calls(truth, seed, per_segment=60), listed, confidence=SURE, seed=seed)
        true = found["question"].map(real)
        shares += ((found["low"] <= true) & (true <= found["high"])).tolist()
        place = found["question"].map(order.index) + 1
        ranks += ((found["rank_low"] <= place) & (place <= found["rank_high"])).tolist()
    assert 0.87 <= np.mean(shares) <= 0.98, (
        "of 180 intervals of 90 per cent; Wilson's are wide for questions that few ask"
    )
    assert np.mean(ranks) >= 0.9


def test_where_all_are_asked_alike_none_leads(calls: Calls, survey: Survey, listed: list[str]) -> None:
    flat = flat_truth(survey.definition)
    leads = 0
    for seed in range(60):
        found = frequent_questions(calls(flat, seed, per_segment=40, months=6), listed, confidence=SURE, seed=seed)
        leads += bool(found["rank_high"].iloc[0] == 1)
    assert leads <= 6


def test_one_who_asks_the_same_ten_times_makes_no_rank_sure() -> None:
    frame = asked(*["a"] * 12, *["b"] * 6, *["c"] * 3, person=[1] * 10 + list(range(2, 13)))
    found = frequent_questions(frame, ["a", "b", "c", OTHER], confidence=SURE, seed=1).set_index("question")
    assert found["rank"].to_dict() == {"a": 1, "b": 2, "c": 3}
    assert found.loc["a", "rank_high"] >= 2
    assert found.loc["a", "customers"] == 3
    others = frequent_questions(asked(*["a"] * 120, *["b"] * 60, *["c"] * 30), ["a", "b", "c"], confidence=SURE, seed=1)
    assert others["rank_high"].tolist() == [1, 2, 3]
    again = frequent_questions(frame, ["a", "b", "c", OTHER], confidence=SURE, seed=1).set_index("question")
    pd.testing.assert_frame_equal(found, again)


def test_what_is_not_seen_yet_is_the_share_of_singletons() -> None:
    found = unseen(asked("a", "a", "b", "c", "c", "c", "d", OTHER, None, OTHER), ["a", "b", "c", "d", "e", OTHER], confidence=SURE)  # fmt: skip
    assert found.unseen == pytest.approx(2 / 7)
    assert found.unlisted == pytest.approx(2 / 9)
    assert 0 <= found.low < found.unseen < found.high <= 1
    assert unseen(asked("a", "a", "b", OTHER), ["a", "b", OTHER], confidence=SURE).high == 0, (
        "all of the list was asked"
    )
    nothing = unseen(asked(None, None), ["a"], confidence=SURE)
    assert np.isnan(nothing.unseen)
    assert frequent_questions(asked(None), ["a"], confidence=SURE, seed=1).empty


def test_good_and_turing_are_right_on_average() -> None:
    """The share of the next questions that nobody has asked yet, known since the truth is."""
    rng, codes = np.random.default_rng(3), [f"q{n}" for n in range(40)]
    shares = rng.dirichlet(np.full(40, 0.3))
    gaps, inside = [], 0
    for _ in range(300):
        drawn = rng.choice(40, 60, p=shares)
        found = unseen(asked(*(codes[n] for n in drawn)), codes, confidence=SURE)
        true = 1 - shares[np.unique(drawn)].sum()
        gaps.append(found.unseen - true)
        inside += found.low <= true <= found.high
    assert abs(np.mean(gaps)) < 0.01
    assert inside / 300 >= 0.84


# Coders


def test_agreement_of_two_coders_is_found_again(calls: Calls, survey: Survey) -> None:
    codes = contact_codes(survey.definition)
    assert codes is not None
    fields = {name: list(codes[name]) for name in ("reason", "mattered_most", "core_problem")}
    truth, agreement = truth_of(survey.definition), 0.75
    frame = calls(truth, 1, per_segment=300)
    inside, claims = [], 0
    for seed in range(60):
        second = simulated_codings(survey.definition, frame, agreement=agreement, seed=seed)
        found = coder_agreement(frame.loc[second["contact"]], second, fields, confidence=SURE).set_index("field")
        for field, own in fields.items():
            first = frame[field].value_counts(normalize=True).reindex(own, fill_value=0)
            other = agreement * first + (1 - agreement) / len(own)
            same, chance = agreement + (1 - agreement) / len(own), float((first * other).sum())
            kappa = (same - chance) / (1 - chance)
            inside.append(found.loc[field, "low"] <= kappa <= found.loc[field, "high"])
        unlike = simulated_codings(survey.definition, frame, agreement=0.0, seed=seed)
        blind = coder_agreement(frame.loc[unlike["contact"]], unlike, fields, confidence=SURE)
        claims += int((blind["words"] != POOR).sum())
    assert 0.82 <= np.mean(inside) <= 0.96, "of 180 intervals of 90 per cent, of 50 codings each"
    assert claims / 180 <= 0.1, "coders who guess are not called to agree"


def test_kappa_is_cohens_and_words_follow_its_lower_end() -> None:
    first = pd.DataFrame({"reason": ["a"] * 25 + ["b"] * 25})
    second = pd.DataFrame({"reason": ["a"] * 20 + ["b"] * 5 + ["a"] * 10 + ["b"] * 15})
    row = coder_agreement(first, second, {"reason": ["a", "b"]}, confidence=0.95).iloc[0]
    assert (row["contacts"], row["agreement"]) == (50, 0.7)
    assert row["kappa"] == pytest.approx(0.4)
    assert row["low"] < 0.2
    assert row["words"] == "slight"
    assert [in_words(k) for k in (0.81, 0.7, 0.5, 0.3, 0.1, 0.0, -0.4)] == ["almost perfect", "substantial", "moderate", "fair", "slight", POOR, POOR]  # fmt: skip


def test_few_codings_or_one_code_alone_have_no_kappa() -> None:
    few = pd.DataFrame({"reason": ["a", "b"] * 9})
    assert coder_agreement(few, few, {"reason": ["a", "b"]}, confidence=SURE)["kappa"].isna().all()
    alone = pd.DataFrame({"reason": ["a"] * 30})
    row = coder_agreement(alone, alone, {"reason": ["a", "b"]}, confidence=SURE).iloc[0]
    assert (row["agreement"], row["words"]) == (1, "")
    assert np.isnan(row["kappa"])
    unsaid = pd.DataFrame({"reason": [None] * 20 + ["a"] * 20})
    said = coder_agreement(unsaid, unsaid, {"reason": ["a"]}, confidence=SURE).iloc[0]
    assert (said["contacts"], said["kappa"]) == (40, 1), "to say nothing is a code too"
