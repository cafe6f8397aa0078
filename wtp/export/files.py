"""Tables as bytes: CSV, a zip of them, a workbook with a codebook. Every file and sheet says how many respondents are simulated."""

from __future__ import annotations

import io
import zipfile

import pandas as pd

from wtp.analysis import Analysis
from wtp.export.codebook import codebook
from wtp.export.frames import choices_frame, respondents_frame, times_frame
from wtp.export.safe import neutralised
from wtp.survey.answers import Answers
from wtp.survey.design_file import format_design
from wtp.survey.load import Survey

_WIDEST = 60


def table_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheets read umlauts."""
    return neutralised(frame).to_csv(index=False, lineterminator="\n").encode("utf-8-sig")


def choices_csv(survey: Survey, answers: Answers) -> bytes:
    """The long choice data alone, as `wtp estimate` reads it."""
    return table_csv(choices_frame(survey.definition, answers))


def to_csv_zip(survey: Survey, answers: Answers, analysis: Analysis) -> bytes:
    """Every table as a CSV file, the design and the survey's definition beside them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:

        def put(name: str, content: bytes | str) -> None:
            # A fixed time, so that equal answers give equal files.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)

        for name, frame in _tables(survey, answers, analysis).items():
            put(f"{name}.csv", table_csv(frame))
        if survey.design:
            put("design.csv", format_design(survey.design, survey.definition))
        put("survey.json", survey.definition.model_dump_json(indent=2))
        put("README.txt", _about(survey, answers))
    return buffer.getvalue()


def to_xlsx(survey: Survey, answers: Answers, analysis: Analysis) -> bytes:
    """One sheet a table, the codebook among them; text is never a formula or a link."""
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False, "in_memory": True}
    with pd.ExcelWriter(buffer, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        about = pd.DataFrame({"about": _about(survey, answers).splitlines()})
        bold = writer.book.add_format({"bold": True})
        for name, frame in {"about": about, **_tables(survey, answers, analysis)}.items():
            sheet = name[:31]
            safe = neutralised(frame)
            safe.to_excel(writer, sheet_name=sheet, index=False)
            writer.sheets[sheet].freeze_panes(1, 0)
            writer.sheets[sheet].set_row(0, None, bold)
            for place, column in enumerate(safe.columns):
                widest = max(map(len, [str(column), *safe[column].map(str)]))
                writer.sheets[sheet].set_column(place, place, min(widest + 2, _WIDEST))
    return buffer.getvalue()


def _tables(survey: Survey, answers: Answers, analysis: Analysis) -> dict[str, pd.DataFrame]:
    results = {name: frame.assign(simulated_respondents=analysis.simulated) for name, frame in analysis.tables.items()}
    return {
        "respondents": respondents_frame(survey.definition, answers),
        "choices": choices_frame(survey.definition, answers),
        "times": times_frame(answers),
        "codebook": codebook(survey.definition),
        **results,
    }


def _about(survey: Survey, answers: Answers) -> str:
    lines = [
        f"Study: {survey.slug}, definition {survey.definition_hash}",
        f"Respondents: {len(answers.respondents)}, of them simulated: {answers.simulated}",
        "Missing values are empty cells. The codebook names every column and code.",
    ]
    if answers.simulated:
        lines.insert(0, "SIMULATED ANSWERS: not the answers of real persons; rows carry the column simulated.")
    if survey.definition.economics and survey.definition.economics.illustrative:
        lines.append("Costs are illustrative: gains and invest / save labels are an example.")
    return "\n".join(lines) + "\n"
