"""The reproduction bundle: everything that it takes to make every figure again, and a notebook that does it.

survey/SLUG/survey.toml, design.csv, pictures   what was asked
answers.jsonl                           what was answered: a head, then one respondent a line, nothing lost
request.json                            what was asked of the analysis: seed, confidence, model, versions, who is left out
expected/TABLE.csv                      the figures, as pages and files show them
respondents.csv, choices.csv, codebook.csv   the answers as tables, for reading
requirements.txt                        versions of the packages that made the figures
SHA256SUMS                              of every other file
notebook.ipynb, notebook.py             the way from the answers to the figures
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from wtp.analysis import Request, package_versions
from wtp.errors import DataError
from wtp.export.archive import archive
from wtp.export.codebook import codebook
from wtp.export.csv_files import CsvWriter, table_csv
from wtp.export.notebook import as_notebook, as_script, cells
from wtp.export.source import Source
from wtp.survey import Definition, Survey, load_survey
from wtp.survey.answers import Answers, Respondent
from wtp.survey.design_file import format_design

_RESPONDENT: TypeAdapter[Respondent] = TypeAdapter(Respondent)
_SUMS = "SHA256SUMS"
_ROUNDING = 1e-9
_CLOSE = 0.05  # of an interval
_REMARKS = ("wtp", "python")
_OF_THE_INTERVAL = ("estimate", "low", "high")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read: survey, answers and request as `analyse` takes them; expected: CSV text of each table; versions: packages that made it."""

    survey: Survey
    answers: Answers
    request: Request
    expected: Mapping[str, bytes]
    versions: Mapping[str, str]


def write_bundle(source: Source, file: IO[bytes], language: str | None = None) -> None:
    """A zip of the files named above; language: of the labels in the notebook, by default the survey's first. Raises DataError for a source without figures."""
    if source.analysis is None:
        raise DataError("bundle: no figures; allowed: a study with an analysis; make one first, with wtp analyse.")
    definition = source.survey.definition
    language = language if language in definition.languages else definition.languages[0]
    sums: dict[str, str] = {}
    with archive(file) as made:

        def put(name: str, content: bytes) -> None:
            sums[name] = hashlib.sha256(content).hexdigest()
            made.put(name, content)

        asked = f"survey/{source.survey.slug}"
        put(f"{asked}/survey.toml", source.survey.source.encode())
        if source.survey.design:
            put(f"{asked}/design.csv", format_design(source.survey.design, definition).encode())
        for name in sorted(definition.pictures):
            put(f"{asked}/pictures/{name}", (source.survey.folder / "pictures" / name).read_bytes())
        put("answers.jsonl", b"".join(_lines(source, source.analysis.answers_hash)))
        put("request.json", json.dumps(asdict(source.analysis.request), indent=2).encode() + b"\n")
        for name, table in source.analysis.tables.items():
            put(f"expected/{name}.csv", table_csv(table))
        for name in ("respondents", "choices"):
            put(f"{name}.csv", _whole(frame for _, frame in source.answer_chunks(name)))
        put("codebook.csv", table_csv(codebook(definition)))
        put("requirements.txt", _requirements(package_versions()).encode())
        written = cells(definition, source.analysis, source.about(), language)
        put("notebook.ipynb", as_notebook(written).encode())
        put("notebook.py", as_script(written).encode())
        put("README.txt", (source.about() + _README).encode())
        made.put(_SUMS, "".join(f"{digest}  {name}\n" for name, digest in sums.items()))


_README = """
notebook.ipynb (or notebook.py) makes every figure again from survey/, answers.jsonl and request.json, and compares it with expected/.
answers.jsonl also holds, under "known", what contacts and purchases told of linked customers when it was last brought in: treat it as personal data, and know that dropping the links does not reach it.
Set up: this program in the version that requirements.txt names, installed from where you have it (make demo builds its environment), then .venv/bin/pip install -r requirements.txt jupyter
for the other versions; run all cells in this folder. Without jupyter: .venv/bin/python notebook.py
"""


def _lines(source: Source, answers_hash: str) -> Iterator[bytes]:
    """The head, then the respondents."""
    answered = {person.definition_hash for people in source.batches() for person in people} - {""}
    definitions = {name: each.model_dump(mode="json") for name, each in source.definitions(answered).items()}
    head = {"study": source.survey.slug, "hash": answers_hash, "simulated": source.simulated, "definitions": definitions}  # fmt: skip
    yield json.dumps(head, ensure_ascii=False).encode() + b"\n"
    for people in source.batches():
        for person in people:
            yield _RESPONDENT.dump_json(person) + b"\n"


def _whole(frames: Iterable[pd.DataFrame]) -> bytes:
    file = io.BytesIO()
    writer = CsvWriter(file)
    for frame in frames:
        writer.write(frame)
    return file.getvalue()


def _requirements(versions: Mapping[str, str]) -> str:
    """For pip; this program itself is a remark, since it is not installed by its name."""
    lines = [f"# {name}=={versions[name]}" for name in _REMARKS]
    return "\n".join([*lines, *(f"{name}=={version}" for name, version in versions.items() if name not in _REMARKS)]) + "\n"  # fmt: skip


def read_bundle(folder: Path) -> Bundle:
    """Read a bundle's folder. Raises DataError for a file that is missing or was changed, by its name."""
    folder = Path(folder)
    try:
        sums = [line.split("  ", 1) for line in (folder / _SUMS).read_text(encoding="utf-8").splitlines()]
        files = {name: (folder / name).read_bytes() for _, name in sums if not name.startswith("notebook.")}
    except (OSError, ValueError) as error:
        raise DataError(f"{folder}: {error}; allowed: the unpacked folder of a bundle; unpack it whole.") from error
    for digest, name in sums:
        if name in files and hashlib.sha256(files[name]).hexdigest() != digest:
            raise DataError(f"{folder / name}: was changed after it was written; allowed: the file as it was; unpack it again.")  # fmt: skip
    head, *lines = files["answers.jsonl"].splitlines()
    facts = json.loads(head)
    try:
        people = tuple(_RESPONDENT.validate_json(line) for line in lines)
    except ValidationError as error:
        raise DataError(f"{folder / 'answers.jsonl'}: {error}; allowed: one respondent a line; unpack it again.") from error  # fmt: skip
    definitions = {name: Definition.model_validate(each) for name, each in facts["definitions"].items()}
    asked: dict[str, Any] = json.loads(files["request.json"])
    versions = dict(line.removeprefix("# ").split("==") for line in files["requirements.txt"].decode().splitlines())
    return Bundle(
        survey=load_survey(folder / "survey" / facts["study"]),
        answers=Answers(facts["study"], people, facts["hash"], definitions),
        request=Request(**{**asked, "without": tuple(asked["without"])}),
        expected={Path(name).stem: text for name, text in files.items() if name.startswith("expected/")},
        versions=versions,
    )


def compared_tables(tables: Mapping[str, pd.DataFrame], expected: Mapping[str, bytes]) -> pd.DataFrame:
    """Each table made again against the expected one: table, rows, same (to the last digit), close, largest_difference, in_widths.

    close: every number agrees to nine digits, or where its row has an interval (low, high) the estimate and its ends agree within a twentieth of its width; by it one judges
    figures made on another machine, where chains of a sampler part. in_widths: the largest difference of an estimate or an end as a share of the interval.
    """
    rows = []
    for name in sorted({*tables, *expected}):
        if name not in tables or name not in expected:
            rows.append((name, 0, False, False, np.inf, np.inf))
            continue
        text = table_csv(tables[name])
        if text == expected[name]:
            rows.append((name, len(tables[name]), True, True, 0.0, 0.0))
            continue
        first, second = (pd.read_csv(io.BytesIO(content), encoding="utf-8-sig") for content in (text, expected[name]))
        rows.append((name, len(first), False, *_difference(first, second)))
    return pd.DataFrame(rows, columns=["table", "rows", "same", "close", "largest_difference", "in_widths"])


def _difference(first: pd.DataFrame, second: pd.DataFrame) -> tuple[bool, float, float]:
    """Whether two tables are close, and their largest difference, absolute and in widths of the row's interval; infinite where they cannot be compared."""
    if first.shape != second.shape or list(first.columns) != list(second.columns):
        return False, np.inf, np.inf
    numeric = [name for name in first.columns if all(pd.api.types.is_numeric_dtype(t[name]) and not pd.api.types.is_bool_dtype(t[name]) for t in (first, second))]  # fmt: skip
    others = [name for name in first.columns if name not in numeric]
    left, right = (table[numeric].to_numpy(dtype=float) for table in (first, second))
    if not _texts(first[others]).equals(_texts(second[others])) or (np.isnan(left) != np.isnan(right)).any():
        return False, np.inf, np.inf
    apart = np.nan_to_num(np.abs(left - right))
    fine = np.isclose(left, right, rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True)
    shares = np.zeros(len(first))
    if {"low", "high"} <= set(numeric):
        width = (second["high"] - second["low"]).to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            within = apart / width[:, None]
        places = [place for place, name in enumerate(numeric) if name in _OF_THE_INTERVAL]
        fine[:, places] |= within[:, places] <= _CLOSE  # not where there is no width
        shares = np.nan_to_num(within[:, places], posinf=np.inf).max(axis=1, initial=0.0)
    return bool(fine.all()), float(apart.max(initial=0.0)), float(shares.max(initial=0.0))


def _texts(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype(object).where(table.notna(), "").astype(str)
