"""The same number everywhere: figures of one analysis are followed through the page, its chart, every file to take away, the API and the library."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import plotly.graph_objects as go
import plotly.io
import pytest
from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from pptx import Presentation
from pptx.oxml.ns import qn
from pypdf import PdfReader

from tests.web.staff import PASSWORD, Staff
from wtp.analysis import ALL, Analysis, Request, analyse
from wtp.cli.simulation import simulate_through_store
from wtp.jobs import keep_analysis, keys_of
from wtp.settings import Settings
from wtp.store import answers, api_tokens, results, staff
from wtp.store.api_tokens import SCOPES
from wtp.survey import Definition, Survey, load_survey
from wtp.web import create_app
from wtp.web.security import limiter

pytestmark = pytest.mark.slow

SURVEYS = Path(__file__).parents[1] / "surveys"
RESPONDENTS = 240
EXACT = 1e-12  # a spreadsheet keeps 16 digits
NUMBER = re.compile(r"−?\u2060?[€]?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where figures of one kind stand. page, chart: of the results; table, ends: as the library names them; row: texts that begin the row; point: where the chart has it."""

    page: str
    chart: str
    table: str
    ends: tuple[str, str, str]
    segments: tuple[str, ...]
    row: Callable[[Definition, pd.Series], tuple[str, ...]]
    cells: tuple[int, ...]
    step: float | None
    point: Callable[[go.Figure, Definition, pd.Series], tuple[float, ...]]
    scale: float = 1.0


def english(text: Any) -> str:
    return str(text["en"])


def level(definition: Definition, row: pd.Series) -> tuple[str, str, str]:
    attribute = definition.attribute(row["attribute"])
    return (
        english(attribute.label),
        english(attribute.level(row["from_level"]).label),
        english(attribute.level(row["to_level"]).label),
    )


def name(definition: Definition, row: pd.Series) -> tuple[str]:
    return (english(definition.price.label if row["attribute"] == "price" else definition.attribute(row["attribute"]).label),)  # fmt: skip


def decoded(values: Any) -> list[Any]:
    """An array as Plotly's script reads it: plain, or the bytes of its numbers."""
    if isinstance(values, dict):
        return list(np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]))
    return list(values)


def ends_of(trace: Any, place: int) -> tuple[float, float, float]:
    """A point of a chart and both ends of its interval."""
    middle = decoded(trace.x)[place]
    return middle, middle - decoded(trace.error_x.arrayminus)[place], middle + decoded(trace.error_x.array)[place]


def bar(figure: go.Figure, y: str) -> tuple[float, float, float]:
    """Estimate and ends of the first trace with error bars that has this label."""
    trace = next(trace for trace in figure.data if trace.error_x.array is not None and y in list(trace.y))
    return ends_of(trace, list(trace.y).index(y))


def curve(figure: go.Figure, _: Definition, row: pd.Series) -> tuple[float, float, float]:
    """The share at a price, and both edges of its band, which goes back along the lower one."""
    line = next(trace for trace in figure.data if trace.mode == "lines" and trace.fill is None)
    edges = next(trace for trace in figure.data if trace.fill == "toself")
    place, last = decoded(line.x).index(row["price"]), 2 * len(decoded(line.x)) - 1
    return decoded(line.y)[place], decoded(edges.y)[last - place], decoded(edges.y)[place]


def crossing(figure: go.Figure, _: Definition, row: pd.Series) -> tuple[float]:
    points = next(trace for trace in figure.data if trace.text is not None)
    return (decoded(points.x)[list(points.text).index(row["point"])],)


def half(figure: go.Figure, *_: Any) -> tuple[float, float, float]:
    """The marker at one half."""
    return ends_of(next(trace for trace in figure.data if trace.mode == "markers" and decoded(trace.y) == [0.5]), 0)


PLACES = (
    Place(
        "worth", "worth", "willingness_to_pay", ("estimate", "low", "high"), (ALL, "uptime", "cost"), level, (3, 4), None,
        lambda figure, definition, row: bar(figure, f"{level(definition, row)[0]}: {level(definition, row)[2]}"),
    ),
    Place(
        "importance", "importance", "importance", ("importance", "low", "high"), (ALL, "uptime"), name, (1, 2), 0.1,
        lambda figure, definition, row: bar(figure, *name(definition, row)),
    ),
    Place(
        "price", "demand", "demand", ("share", "low", "high"), (ALL,), lambda _, row: (f"€{row['price']:.0f}",), (1, 2), 1.0, curve, 100,
    ),
    Place(
        "price", "limits", "price_limit", ("estimate", "low", "high"), (ALL, "uptime", "cost"), lambda *_: ("Price upper limit: half would still buy",), (1,), 1.0, half,
    ),
    Place(
        "price", "van_westendorp", "van_westendorp_points", ("estimate", "low", "high"), (ALL,), lambda _, row: (row["point"],), (1, 2), 1.0, crossing,
    ),
)  # fmt: skip
CHART_OF = {"limits": "demand"}  # the section is a table; its figure is the marker of that chart


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its interval: the row of the library's table."""

    place: Place
    segment: str
    row: pd.Series

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(float(self.row[column]) for column in self.place.ends)

    def __str__(self) -> str:
        keys = [str(self.row[key]) for key in ("attribute", "to_level", "price", "point") if key in self.row]
        return f"{self.place.table} {self.segment} {' '.join(keys)}"


@dataclass(frozen=True, slots=True)
class Everywhere:
    """The study, what the library made of its answers, and somebody who looks at everything."""

    survey: Survey
    made: Analysis
    client: FlaskClient
    token: str

    def figures(self) -> Iterator[Figure]:
        for place in PLACES:
            for segment in place.segments:
                rows = self.made.table(place.table, segment).dropna(subset=list(place.ends))
                if place.table == "demand":
                    rows = rows[rows["price"].isin(self.survey.definition.price.levels)]
                yield from (Figure(place, segment, row) for _, row in rows.iterrows())

    def page(self, place: Place, segment: str) -> BeautifulSoup:
        return Staff(self.client).open(f"/results/supplier/{place.page}?segment={segment}&lang=en")


@pytest.fixture(scope="module")
def everywhere(tmp_path_factory: pytest.TempPathFactory) -> Everywhere:
    settings = Settings(instance=tmp_path_factory.mktemp("instance"), surveys=SURVEYS)
    survey = load_survey(SURVEYS / "supplier")
    simulate_through_store(settings, survey, RESPONDENTS, seed=5)
    app = create_app(settings)
    database = app.extensions["wtp_database"]
    with database.read() as connection:
        fingerprint, basis = keys_of(connection, survey, Request())
        found = answers.read_answers(connection, "supplier")
    with (
        pytest.MonkeyPatch.context() as patch
    ):  # what matters here is that the figures are the same, not that they have converged
        for sweeps in ("_MOST_SWEEPS", "_MOST_WARMUP", "_MOST_SWEEPS_OF_OTHERS", "_WARMUP_OF_OTHERS"):
            patch.setattr(f"wtp.analysis.hierarchical.{sweeps}", 60)
        made = analyse(survey, found, Request())
    with database.begin() as connection:
        keep_analysis(connection, made, survey.definition, fingerprint=fingerprint, basis=basis, kind=results.ANALYSIS, made_by="a test", seconds=1.0)  # fmt: skip
        staff.add(connection, "analyst", PASSWORD, "analyst")
        _, token = api_tokens.add(connection, "a test", maker=None, scopes=SCOPES, now=datetime.now(UTC))
    limiter.reset()
    client = app.test_client()
    Staff(client).log_in(name="analyst")
    return Everywhere(survey, made, client, token)


def test_there_are_enough_figures_to_follow(everywhere: Everywhere) -> None:
    figures = list(everywhere.figures())
    assert len(figures) >= 50
    assert {figure.place.table for figure in figures} == {place.table for place in PLACES}


def test_pages_show_the_figures_rounded_by_the_width_of_their_intervals(everywhere: Everywhere) -> None:
    definition = everywhere.survey.definition
    for figure, cells in shown(everywhere):
        place, values = figure.place, figure.values
        step = place.step or worth_step(everywhere.made.table(place.table, figure.segment))
        found = numbers(cells, place.cells)
        assert len(found) == 3, f"{figure}: {cells}"
        for value, cell in zip(values, found, strict=True):
            assert cell == pytest.approx(round(place.scale * value / step) * step, abs=1e-9), f"{figure}: {cells}"
        assert place.row(definition, figure.row)[-1] in cells[len(place.row(definition, figure.row)) - 1]


def shown(everywhere: Everywhere) -> Iterator[tuple[Figure, tuple[str, ...]]]:
    """Each figure with the cells of its row on the page."""
    definition = everywhere.survey.definition
    pages: dict[tuple[str, str], BeautifulSoup] = {}
    for figure in everywhere.figures():
        place = figure.place
        key = (place.page, figure.segment)
        page = pages.setdefault(key, pages.get(key) or everywhere.page(place, figure.segment))
        texts = place.row(definition, figure.row)
        rows = [cells for cells in rows_of(page, place.chart) if all(c.startswith(t) for c, t in zip(cells, texts, strict=False))]  # fmt: skip
        assert len(rows) == 1, f"{figure}: {texts} is on the page {len(rows)} times"
        yield figure, rows[0]


def rows_of(page: BeautifulSoup, chart: str) -> list[tuple[str, ...]]:
    section = page.find("section", attrs={"aria-labelledby": re.compile(rf"\btitle-{chart}\b")})
    assert isinstance(section, Tag), chart
    return [tuple(cell.get_text(" ", strip=True) for cell in row.select("th, td")) for row in section.select("tbody tr")]  # fmt: skip


def numbers(cells: Sequence[str], places: Sequence[int]) -> list[float]:
    """Numbers of some cells as a reader sees them."""
    words = " ".join(cells[place] for place in places)
    return [float(found.replace("−", "-").replace("\u2060", "").replace("€", "").replace(",", "")) for found in NUMBER.findall(words)]  # fmt: skip


def worth_step(table: pd.DataFrame) -> float:
    """A power of ten below a twentieth of the usual interval, cents at the finest; see README, "Rounding"."""
    return max(0.01, 10.0 ** math.floor(math.log10((table["high"] - table["low"]).median() / 20)))


def test_charts_draw_the_figures(everywhere: Everywhere) -> None:
    drawn: dict[tuple[str, str], go.Figure] = {}
    for figure in everywhere.figures():
        place = figure.place
        key = (CHART_OF.get(place.chart, place.chart), figure.segment)
        if key not in drawn:
            reply = everywhere.client.get(f"/results/supplier/{key[0]}.json?segment={key[1]}&lang=en")
            drawn[key] = plotly.io.from_json(reply.text)
        points = place.point(drawn[key], everywhere.survey.definition, figure.row)
        assert points == pytest.approx(figure.values[: len(points)], rel=EXACT, abs=EXACT), str(figure)


def test_tables_to_take_away_have_the_figures_to_the_last_digit(everywhere: Everywhere) -> None:
    tables = taken(everywhere)
    assert set(tables) == {"CSV beside the chart", "API, JSON", "API, CSV", "CSV", "XLSX", "Parquet", "JSON"}
    for where, read in tables.items():
        frames = {place.table: read(place.table) for place in PLACES}
        for figure in everywhere.figures():
            frame = frames[figure.place.table]
            keys = [
                key for key in ("segment", "attribute", "from_level", "to_level", "price", "point") if key in figure.row
            ]
            rows = frame[(frame[keys] == figure.row[keys]).all(axis=1)]
            assert len(rows) == 1, f"{where}: {figure}"
            own = tuple(map(float, rows.iloc[0][list(figure.place.ends)]))
            assert own == pytest.approx(figure.values, rel=EXACT), f"{where}: {figure}"


def test_native_charts_of_the_workbook_have_the_figures(everywhere: Everywhere) -> None:
    content = everywhere.client.get("/manage/supplier/exports/xlsx?lang=en").data
    rows = list(openpyxl.load_workbook(io.BytesIO(content), read_only=True)["charts"].iter_rows(values_only=True))
    drawn = {row[0]: (row[1], row[1] - row[2], row[1] + row[3]) for row in rows[1:]}
    definition, followed = everywhere.survey.definition, 0
    for figure in everywhere.figures():
        if figure.place.table == "importance" and figure.segment == ALL:
            label = name(definition, figure.row)[0]
        elif figure.place.table == "willingness_to_pay" and figure.segment == ALL:
            label = f"{level(definition, figure.row)[0]}: {level(definition, figure.row)[2]}"
        elif figure.place.table == "price_limit":
            named = {segment.id: english(segment.label) for segment in definition.segments}
            label = named.get(figure.segment, "Everybody")
        else:
            continue
        followed += 1
        assert drawn[label] == pytest.approx(figure.values, rel=1e-9), str(figure)
    assert followed >= 20


def test_slides_have_the_cells_of_the_page_and_charts_with_the_figures(everywhere: Everywhere) -> None:
    slides: dict[str, tuple[set[tuple[str, ...]], np.ndarray]] = {}
    for figure, cells in shown(everywhere):
        if figure.segment not in slides:
            reply = everywhere.client.get(f"/results/supplier/report.pptx?segment={figure.segment}&lang=en")
            slides[figure.segment] = of_slides(Presentation(io.BytesIO(reply.data)))
        rows, drawn = slides[figure.segment]
        assert tuple(map(plain, cells)) in rows, f"{figure}: {cells}"
        if figure.place.chart in ("worth", "importance"):
            assert np.isclose(drawn, figure.values, rtol=1e-9).all(axis=1).any(), str(figure)


def of_slides(deck: Any) -> tuple[set[tuple[str, ...]], np.ndarray]:
    """Rows of all tables; and of all charts with intervals each value with both ends."""
    shapes = [shape for slide in deck.slides for shape in slide.shapes]
    rows = {tuple(plain(cell.text) for cell in row.cells) for s in shapes if s.has_table for row in s.table.rows}
    drawn = []
    for series in (own for shape in shapes if shape.has_chart for plot in shape.chart.plots for own in plot.series):
        ends = {
            end: [float(v.text) for v in series._element.findall(f".//{qn('c:errBars')}/{qn(f'c:{end}')}//{qn('c:v')}")]
            for end in ("minus", "plus")
        }
        drawn += [
            (v, v - a, v + b)
            for v, a, b in zip(series.values, ends["minus"], ends["plus"], strict=False)
            if v is not None
        ]
    return rows, np.array(drawn, dtype=float)


def plain(cell: str) -> str:
    """A cell without what only holds a line together."""
    return re.sub(r"\s+", " ", cell.replace("\u2060", "")).strip()


def test_the_pdf_has_the_cells_of_the_page(everywhere: Everywhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")  # charts are in tests/web/test_report.py
    printed = everywhere.client.get("/results/supplier/report.pdf?segment=all&lang=en")
    assert printed.status_code == 200
    pages = PdfReader(io.BytesIO(printed.data)).pages
    whole = re.sub(r"[\s\u2060]+", "", "".join(page.extract_text() for page in pages))
    for figure, cells in shown(everywhere):
        for place in figure.place.cells if figure.segment == ALL else ():
            assert re.sub(r"[\s\u2060]+", "", cells[place]) in whole, f"{figure}: {cells}"


def taken(everywhere: Everywhere) -> dict[str, Callable[[str], pd.DataFrame]]:
    """Place -> what reads a table there."""
    client, program = everywhere.client, {"Authorization": f"Bearer {everywhere.token}"}

    def got(path: str, **options: Any) -> bytes:
        reply = client.get(path, **options)
        assert reply.status_code == 200, f"{path}: {reply.status}"
        return bytes(reply.data)

    def csv(content: bytes) -> pd.DataFrame:
        return pd.read_csv(io.BytesIO(content), encoding="utf-8-sig")

    def api(table: str) -> pd.DataFrame:
        path, rows = f"/api/v1/studies/supplier/tables/{table}?limit=1000", []
        while path:
            reply = client.get(path, headers=program)
            rows += reply.get_json()["rows"]
            path = reply.get_json().get("next")
        return pd.DataFrame(rows)

    archives = {
        form: zipfile.ZipFile(io.BytesIO(got(f"/manage/supplier/exports/{form}"))) for form in ("csv", "parquet")
    }
    study = json.loads(got("/manage/supplier/exports/json"))["tables"]
    book = openpyxl.load_workbook(io.BytesIO(got("/manage/supplier/exports/xlsx")), read_only=True, data_only=True)

    def sheet(table: str) -> pd.DataFrame:
        head, *rows = book[table].iter_rows(values_only=True)
        return pd.DataFrame(rows, columns=head)

    return {
        "CSV beside the chart": lambda table: csv(got(f"/results/supplier/{table}.csv")),
        "API, JSON": api,
        "API, CSV": lambda table: csv(got(f"/api/v1/studies/supplier/tables/{table}.csv", headers=program)),
        "CSV": lambda table: csv(archives["csv"].read(f"{table}.csv")),
        "XLSX": sheet,
        "Parquet": lambda table: pd.read_parquet(io.BytesIO(archives["parquet"].read(f"{table}.parquet"))),
        "JSON": lambda table: pd.DataFrame(study[table]["rows"], columns=list(study[table]["columns"])),
    }
