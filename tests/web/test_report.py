"""The report: PDF and PowerPoint say what the pages say, figure by figure, and nothing in a study's texts does anything in them."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from pptx import Presentation
from pptx.oxml.ns import qn
from pypdf import PdfReader

from tests.web.figures import full
from tests.web.staff import Staff
from wtp.analysis import Analysis
from wtp.errors import DataError
from wtp.export import report_pdf
from wtp.export.report import Finding, Report
from wtp.export.report_pdf import PdfError, PdfTimeoutError, Written, write_pdf
from wtp.export.slides import write_pptx
from wtp.settings import Settings
from wtp.survey import Survey, load_survey
from wtp.web import create_app, report_files, results, write_report
from wtp.web.i18n import speak
from wtp.web.reading import Reading, labels_of
from wtp.web.report import report_of
from wtp.web.results import sections_of, tabs

SURVEYS = Path(__file__).parents[2] / "surveys"
MARK = "Simulated answers: 400 of 400 respondents"
HOSTILE = (
    '=HYPERLINK(\\"http://x.example/\\",\\"a\\") <img src=http://x.example/y.png><script>alert(1)</script> {{ 7*7 }}'
)
SHOWN = HOSTILE.replace("\\", "")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(Settings(instance=tmp_path_factory.mktemp("report") / "instance", surveys=SURVEYS))


@pytest.fixture(scope="module")
def supplier() -> Survey:
    return load_survey(SURVEYS / "supplier")


def told(app: Flask, survey: Survey, analysis: Analysis, language: str = "en", segment: str = "all") -> Report:
    with app.app_context():
        speak(language)
        reading = Reading(survey, analysis, segment, labels_of(survey.definition))
        return report_of(reading, app.extensions["wtp_database"])


@pytest.fixture(scope="module")
def report(installation: Flask, supplier: Survey) -> Report:
    return told(installation, supplier, full(supplier, simulated=400))


@pytest.fixture(scope="module")
def slides(report: Report) -> Any:
    file = io.BytesIO()
    write_pptx(report, file)
    return Presentation(io.BytesIO(file.getvalue()))


@dataclass(frozen=True)
class Printed:
    """A PDF that was read back."""

    written: Written
    reader: PdfReader
    pages: list[str]

    @classmethod
    def of(cls, report: Report) -> Printed:
        file = io.BytesIO()
        written = write_pdf(report, file, seconds=240)  # beside other tests
        reader = PdfReader(io.BytesIO(file.getvalue()))
        return cls(written, reader, [page.extract_text() for page in reader.pages])


@pytest.fixture(scope="module")
def printed(report: Report) -> Printed:
    """The one PDF of this module that a browser draws charts for."""
    return Printed.of(report)


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")


def findings(report: Report) -> Iterator[Finding]:
    return (finding for chapter in report.chapters for finding in chapter.findings)


def tight(text: str) -> str:
    """A text without blanks and joiners: where lines break is the paper's affair."""
    return re.sub(r"[\s\u2060]+", "", text)


def texts(slide: Any) -> list[str]:
    found = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
    return found + [
        cell.text for shape in slide.shapes if shape.has_table for row in shape.table.rows for cell in row.cells
    ]


def test_a_report_holds_every_section_of_every_page(installation: Flask, supplier: Survey, report: Report) -> None:
    analysis = full(supplier, simulated=400)
    with installation.test_request_context("/results/supplier?lang=en"):
        installation.preprocess_request()
        reading = Reading(supplier, analysis, "all", labels_of(supplier.definition))
        pages = {name: sections_of(page, reading) for page, name in tabs(reading).items()}
    assert [chapter.name for chapter in report.chapters] == list(pages)
    for chapter in report.chapters:
        for finding, shown in zip(chapter.findings, pages[chapter.name], strict=True):
            for name in ("chart", "title", "lead", "head", "rows", "findings", "missing", "says", "not_says"):
                assert getattr(finding, name) == getattr(shown, name), f"{shown.chart}: {name}"
    assert len(list(findings(report))) > 25


def test_slides_have_every_figure_of_the_pages(report: Report, slides: Any) -> None:
    for finding in findings(report):
        own = [slide for slide in slides.slides if slide.shapes.title.text == finding.title.replace("\u2060", "")]
        assert own, finding.title
        if finding.missing:
            assert finding.missing in texts(own[0])
            continue
        cells = [
            tuple(cell.text for cell in row.cells)
            for slide in own for shape in slide.shapes if shape.has_table for row in list(shape.table.rows)[1:]
        ]  # fmt: skip
        for row in finding.rows:
            assert tuple(cell.replace("\u2060", "") for cell in row) in cells, f"{finding.chart}: {row}"
        said = own[0].notes_slide.notes_text_frame.text
        assert finding.says.replace("\u2060", "") in said
        assert finding.not_says in said


def test_charts_of_slides_hold_the_numbers_of_the_tables_and_their_intervals(supplier: Survey, slides: Any) -> None:
    table = full(supplier).tables["importance"]
    table = table[table["segment"] == "all"].sort_values("importance", ascending=False)
    slide = next(s for s in slides.slides if s.shapes.title.text.startswith("Price counts most"))
    chart = next(shape.chart for shape in slide.shapes if shape.has_chart)
    bars = chart.plots[0].series[0]
    assert list(bars.values) == table["importance"].tolist()
    labels = {a.id: a.label["en"] for a in supplier.definition.attributes} | {"price": "Price"}
    assert list(chart.plots[0].categories) == [labels[name] for name in table["attribute"]]
    for end, column in (("plus", "high"), ("minus", "low")):
        lengths = [float(v.text) for v in bars._element.findall(f".//{qn('c:errBars')}/{qn(f'c:{end}')}//{qn('c:v')}")]
        assert lengths == pytest.approx((table[column] - table["importance"]).abs().tolist())
    sheet = openpyxl.load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))["Sheet1"]
    rows = list(sheet.iter_rows(min_row=2, max_row=len(table) + 1, values_only=True))
    assert [row[1] for row in rows] == table["importance"].tolist()
    assert [row[3] for row in rows] == pytest.approx((table["importance"] - table["low"]).tolist())
    formula = bars._element.find(f".//{qn('c:errBars')}/{qn('c:minus')}//{qn('c:f')}").text
    assert formula == f"Sheet1!$D$2:$D${len(table) + 1}", "the sheet's cells move the interval"


def test_every_drawn_finding_has_a_chart_that_can_be_edited_and_no_picture(report: Report, slides: Any) -> None:
    for finding in findings(report):
        own = [s for s in slides.slides if s.shapes.title.text == finding.title.replace("\u2060", "")]
        charts = [shape for slide in own for shape in slide.shapes if shape.has_chart]
        assert bool(charts) == (finding.figure is not None and finding.native), finding.chart
    assert not [shape for slide in slides.slides for shape in slide.shapes if shape.shape_type == 13]


def test_every_slide_bears_the_mark_its_source_and_texts_for_screen_readers(report: Report, slides: Any) -> None:
    assert slides.slide_width / slides.slide_height == pytest.approx(16 / 9, abs=0.001)
    for number, slide in enumerate(slides.slides, 1):
        assert MARK in texts(slide), number
        assert slide.shapes[0] == slide.shapes.title, "the title is read first"
        assert slide.shapes.title.text
        if number > 1:
            assert any(text.startswith(report.source.replace("\u2060", "")) for text in texts(slide)), number
        for shape in slide.shapes:
            assert shape.top + shape.height <= slides.slide_height, f"{number}: {shape.name} runs off the slide"
            assert shape.left + shape.width <= slides.slide_width
            if shape.has_chart or shape.has_table:
                assert shape._element.nvGraphicFramePr.cNvPr.get("descr"), number
    first, last = texts(slides.slides[0]), " ".join(texts(slides.slides[-1]))
    assert any("400 respondents, 390 completed" in text for text in first)
    assert {"Seed", "Hash of the answers"} <= set(texts(slides.slides[-1]))
    assert "made by hand" in last
    assert slides.core_properties.title == "Where to invest, where to save, which price – What makes a good supplier?"
    assert slides.core_properties.language == "en-GB"


def test_the_overview_has_a_slide_for_each_segment(report: Report, slides: Any) -> None:
    titles = [slide.shapes.title.text for slide in slides.slides]
    for card in report.cards:
        slide = slides.slides[titles.index(f"{card.segment}: {card.finding}")]
        for verdict in card.verdicts:
            assert {verdict.attribute, verdict.sentence.replace("\u2060", "")} <= set(texts(slide))
    everybody = "\n".join(texts(slides.slides[1]))
    assert "Half would still buy today's offer at €103 (€100 to €105)." in everybody
    assert "Today's price is €100" in everybody
    assert "too few for figures" in "\n".join(text for slide in slides.slides for text in texts(slide))


def test_the_pdf_has_every_figure_of_the_pages(report: Report, printed: Printed) -> None:
    assert printed.written == Written(len([f for f in findings(report) if f.figure]), "")
    whole = tight("".join(printed.pages[1:]))
    for line in (report.source, f"{report.study} · {report.segment}", MARK):
        whole = whole.replace(tight(line), "")
    whole = re.sub(rf"\d+/{len(printed.pages)}", "", whole)
    for finding in findings(report):
        for text in (finding.title, finding.missing, finding.says, finding.not_says, *finding.findings):
            assert tight(text) in whole, text
        for row in () if finding.missing else (finding.head, *finding.rows):
            assert all(tight(cell) in whole for cell in row), f"{finding.chart}: {row}"
    for card in report.cards:
        for text in (card.limit, card.today, *(verdict.sentence for verdict in card.verdicts)):
            assert tight(text) in whole


def test_the_pdf_is_marked_tagged_and_has_bookmarks(report: Report, printed: Printed) -> None:
    for text in printed.pages:
        assert MARK in text
        assert "What makes a good supplier? · Everybody" in text
    about = printed.reader.metadata
    assert about is not None
    assert about.title == "Where to invest, where to save, which price – What makes a good supplier?"
    root: Any = printed.reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    marks = [mark.title for mark in printed.reader.outline if not isinstance(mark, list)]
    assert [f"{chapter.name}: Everybody" for chapter in report.chapters] == marks[2:-1]
    assert not [page for page in printed.reader.pages if page.images], "charts are drawings"
    box = printed.reader.pages[0].mediabox
    assert (round(float(box.width)), round(float(box.height))) == (595, 842)


def test_what_is_withheld_says_why_on_its_slide(installation: Flask, supplier: Survey) -> None:
    german = told(installation, supplier, full(supplier, simulated=400), "de", "cost")
    worth = next(finding for finding in findings(german) if finding.chart == "worth")
    assert worth.missing.startswith("Der Preis hat die Antworten nicht deutlich bestimmt")
    file = io.BytesIO()
    write_pptx(german, file)
    deck = Presentation(io.BytesIO(file.getvalue()))
    slide = next(slide for slide in deck.slides if slide.shapes.title.text == worth.title)
    assert worth.missing in texts(slide)
    assert not [shape for shape in slide.shapes if shape.has_table or shape.has_chart]
    assert all("Simulierte Antworten: 400 von 400 Befragten" in texts(slide) for slide in deck.slides)
    assert deck.core_properties.language == "de-DE"


def test_without_a_browser_the_tables_are_there_and_it_says_so(
    installation: Flask, supplier: Survey, no_browser: None
) -> None:
    german = told(installation, supplier, full(supplier, simulated=400), "de", "uptime")
    made = Printed.of(german)
    assert made.written.charts == 0
    assert "/nowhere/chromium" in made.written.no_charts
    whole = tight("".join(made.pages))
    assert tight("Die Diagramme fehlen: Dieser Server hat keinen Browser") in tight(made.pages[0])
    worth = next(finding for finding in findings(german) if finding.chart == "worth")
    assert worth.rows[0][0] == "Sortiment"
    assert all(tight(cell) in whole for row in worth.rows for cell in row)
    assert all("Simulierte Antworten: 400 von 400 Befragten" in page for page in made.pages)
    assert made.reader.trailer["/Root"]["/Lang"] == "de"


def test_who_is_left_out_is_said_on_every_slide(installation: Flask, supplier: Survey) -> None:
    analysis = full(supplier)
    without = replace(analysis, request=replace(analysis.request, without=tuple(range(100))))
    fewer = told(installation, supplier, without)
    words = "Without 100 respondents whom analysts left out"
    assert words in fewer.source
    facts = dict(fewer.facts)
    assert facts["Whose answers"].startswith(f"{words}. That is more than 15 % of all: ")
    assert dict(fewer.provenance)["Respondents left out"] == "100"
    assert fewer.simulated == "", "nobody is simulated here, so nothing is marked"


def test_nothing_in_the_texts_of_a_study_does_anything(installation: Flask, tmp_path: Path, no_browser: None) -> None:
    folder = Path(shutil.copytree(SURVEYS / "supplier", tmp_path / "supplier"))
    text = (folder / "survey.toml").read_text(encoding="utf-8")
    for known in ("What makes a good supplier?", "Speed of problem solving", "The same day", "Uptime first"):
        assert f'en = "{known}"' in text
        text = text.replace(f'en = "{known}"', f'en = "{HOSTILE}"')
    (folder / "survey.toml").write_text(text, encoding="utf-8")
    survey = load_survey(folder)
    analysis = full(survey)
    hostile = told(installation, survey, analysis)
    hostile = replace(hostile, study=hostile.study + "\x00\x0b\ufffe", notes=(("caution", "\x08" + SHOWN),))
    file = io.BytesIO()
    write_pptx(hostile, file)
    deck = Presentation(io.BytesIO(file.getvalue()))
    assert deck.slides[0].placeholders[1].text_frame.text == SHOWN
    sheets = 0
    for slide in deck.slides:
        assert not slide._element.findall(f".//{qn('a:hlinkClick')}")
        for chart in (shape.chart for shape in slide.shapes if shape.has_chart):
            sheets += 1
            for row in openpyxl.load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))[
                "Sheet1"
            ].iter_rows():
                assert not [cell for cell in row if cell.data_type == "f" or cell.hyperlink]
    assert sheets > 10
    made = Printed.of(hostile)
    assert tight(SHOWN) in tight(made.pages[0])
    for page in made.reader.pages:
        assert not page.images
        assert all("/URI" not in str(link.get_object().get("/A", {})) for link in page.get("/Annots", ()))


def alive(group: int) -> list[str]:
    """Processes of a group that still run; those that ended and wait to be fetched do not."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, own, *_ = file.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(own) == group and state != "Z":
            found.append(file.parent.name)
    return found


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_process_is_ended_with_all_that_it_started_when_time_is_over(
    report: Report, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started, real = [], subprocess.Popen
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def spied(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(report_pdf.subprocess, "Popen", spied)
    file = io.BytesIO()
    with pytest.raises(PdfTimeoutError, match=r"not ready after 0\.2 seconds"):
        write_pdf(report, file, seconds=0.2)
    (process,) = started
    assert process.returncode == -9
    wait_until(lambda: not alive(process.pid))
    assert file.getvalue() == b""
    assert not list(tmp_path.iterdir()), "its folder is gone"
    monkeypatch.setattr(report_pdf, "_PROCESS", Path(__file__).with_name("no_such_file.py"))
    with pytest.raises(RuntimeError, match="its process ended with 2"):
        write_pdf(report, file)


def test_what_is_missing_is_said_in_one_line(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_pdf.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PdfError, match=r"weasyprint is not installed; .* run pip install 'wtp\[pdf\]'"):
        write_pdf(report, io.BytesIO())


@pytest.fixture
def manager(app: Flask, staffed: Callable[[str], Staff], monkeypatch: pytest.MonkeyPatch) -> Staff:
    """Somebody before the results of 400 simulated respondents."""
    analysis = full(app.extensions["wtp_surveys"]["supplier"], simulated=400)
    monkeypatch.setattr(results, "analysis_of", lambda *_: analysis)
    monkeypatch.setattr(report_files, "analysis_of", lambda *_: analysis)
    return staffed("manager")


def test_pages_lead_to_the_report_of_their_selection(manager: Staff) -> None:
    for path in ("/results/supplier", "/results/supplier/price"):
        page = manager.open(f"{path}?lang=en&segment=uptime&without=none")
        links = {link.get_text(): link["href"] for link in page.select(".take-away a")}
        assert list(links) == ["Report as PDF", "Report as PowerPoint"]
        for kind, link in zip(("pdf", "pptx"), links.values(), strict=True):
            assert link == f"/results/supplier/report.{kind}?segment=uptime&without=none"
    assert not manager.open("/results/supplier/what-if").select(".take-away")
    reply = manager.client.get("/results/supplier/report.pptx?segment=uptime&lang=de")
    assert reply.mimetype.endswith("presentationml.presentation")
    name = reply.headers["Content-Disposition"]
    assert re.fullmatch(
        r'attachment; filename="?supplier-report-uptime-\d{4}-\d\d-\d\d-made by -simulated\.pptx"?', name
    )
    deck = Presentation(io.BytesIO(reply.data))
    assert "Segment: Stillstand vermeiden" in texts(deck.slides[0])[-1]
    assert manager.client.get("/results/supplier/report.pptx?segment=nobody").status_code == 404


def test_a_pdf_that_cannot_be_made_is_a_page_with_the_other_way(
    manager: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, words in ((PdfTimeoutError("late"), "wait a minute"), (PdfError("run pip install"), "run pip install")):

        def fails(*_: Any, error: PdfError = error) -> None:
            raise error

        monkeypatch.setitem(report_files.REPORTS, "pdf", replace(report_files.REPORTS["pdf"], write=fails))
        reply = manager.client.get("/results/supplier/report.pdf?lang=en&segment=uptime&without=none")
        page = BeautifulSoup(reply.text, "html.parser")
        assert reply.status_code == 503
        assert words in page.get_text()
        assert page.select_one('a[href="/results/supplier/report.pptx?segment=uptime&without=none"]')


def test_the_command_writes_the_same_report(app: Flask, manager: Staff, tmp_path: Path) -> None:
    survey = app.extensions["wtp_surveys"]["supplier"]
    with (tmp_path / "x.pptx").open("w+b") as file:
        assert write_report(app, survey, "pptx", file, segment="uptime", language="de") == ""
    by_page = Presentation(io.BytesIO(manager.client.get("/results/supplier/report.pptx?segment=uptime&lang=de").data))
    by_command = Presentation(tmp_path / "x.pptx")
    assert [texts(slide) for slide in by_command.slides] == [texts(slide) for slide in by_page.slides]
    for wrong, allowed in (({"segment": "nobody"}, "all, uptime"), ({"language": "fr"}, "en, de")):
        with pytest.raises(DataError, match=f"allowed: {allowed}"):
            write_report(app, survey, "pptx", io.BytesIO(), **wrong)
