"""The pages of what was asked in a real browser: phone and desk, German and English, light and dark; axe finds nothing, nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Share, Visit, served
from tests.browser.test_results import drawn, log_in
from tests.simulated import every_question, expected, one_record, simulated
from tests.web.staff import PASSWORD
from wtp.analysis import Request, analyse
from wtp.settings import Settings
from wtp.store import staff
from wtp.web import create_app, results
from wtp.web.security import limiter

pytestmark = pytest.mark.browser

CHARTS = {
    "/results/every/said": 6,
    "/results/every/answers": 6,
    "/results/one/said": 6,
    "/results/expected/expectations": 2,
    "/results/expected/invest": 5,
}
# Dots and bars that a chart has: both scores of seven attributes, five events, seven differences.
MARKS = {"asked-expectation_gaps": 14, "asked-order_of_events": 5, "keep_tell_fix": 7}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own in this process, with simulated answers to both studies that ask everything."""
    place = tmp_path_factory.mktemp("surveys")
    surveys = {survey.slug: survey for survey in (every_question(place), one_record(place), expected(place))}
    quick = Request(model="conditional")
    made = {slug: analyse(survey, simulated(survey, 120), quick) for slug, survey in surveys.items()}
    app = create_app(Settings(instance=tmp_path_factory.mktemp("instance"), surveys=place))
    limiter.reset()
    with app.extensions["wtp_database"].begin() as connection:
        staff.add(connection, "analyst", PASSWORD, "analyst")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "analysis_of", lambda database, survey, *_: made[survey.slug])
        with served(app) as place:
            yield place


@pytest.mark.parametrize(
    ("width", "language", "scheme"),
    [
        (390, "de", "dark"),
        (1280, "en", "light"),
        pytest.param(390, "en", "light", marks=pytest.mark.release),
        pytest.param(1280, "de", "light", marks=pytest.mark.release),
        pytest.param(1280, "en", "dark", marks=pytest.mark.release),
    ],
)
def test_everything_asked_is_readable_for_everybody(
    visit: Visit, share: Share, width: int, language: str, scheme: str
) -> None:
    visitor = visit(width, 844, language, color_scheme=scheme)
    log_in(visitor, language)
    for path in share(list(CHARTS), width > 700):
        visitor.open(path)
        assert drawn(visitor.page) == CHARTS[path]
        assert visitor.violations() == []
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} scrolls sideways"
        outside = visitor.page.evaluate(
            "() => [...document.querySelectorAll('.chart')].flatMap(chart => { const box = chart.getBoundingClientRect();"
            " return [...chart.querySelectorAll('svg text')].filter(t => { const r = t.getBoundingClientRect();"
            "   return r.width && (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1); })"
            "   .map(t => t.textContent); })"
        )
        assert outside == [], f"{path}: texts are cut off"
        for chart in set(MARKS) & set(visitor.page.eval_on_selector_all(".chart", "charts => charts.map(c => c.id.slice(6))")):  # fmt: skip
            assert visitor.page.locator(f"#chart-{chart} .points path").count() == MARKS[chart]
    assert visitor.complaints == []
    assert all(request.startswith(visitor.address) for request in visitor.requests)
