"""Whatever somebody gives, it is read, or refused in words: encodings, delimiters, workbooks, limits, bombs, and anything that hypothesis thinks of."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.imports.conftest import as_csv, plain_rows
from tests.imports.make_files import HERE
from wtp.errors import DataError, WtpError
from wtp.imports import check, files, guess, mapping_of, read_file, read_path, tables, workbook
from wtp.imports.values import AMBIGUOUS, decimal_mark, number_of
from wtp.survey import Survey

WORDS = "Straße;Größe;Preis\nä;ö;1,5\nß;€;2,5\n"


def told(error: WtpError) -> None:
    """The error says what is allowed."""
    assert "allowed" in str(error)


def book(rows: list[list[object]], name: str = "choices") -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = name
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("cp1252", "windows-1252"),
    ],
)  # fmt: skip
def test_every_encoding_gives_the_same_text(encoding: str, told: str) -> None:
    file = read_file(WORDS.encode(encoding), "x.csv")
    assert file.encoding == told
    assert file.tables[0].columns == ("Straße", "Größe", "Preis")
    assert file.tables[0].cells.to_numpy().tolist() == [["ä", "ö", "1,5"], ["ß", "€", "2,5"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_found(delimiter: str) -> None:
    text = f'a{delimiter}b\n"1,0;|"{delimiter}2\n3{delimiter}4\n'
    file = read_file(text.encode(), "x.csv")
    assert file.delimiter == delimiter
    assert file.tables[0].cells.to_numpy().tolist() == [["1,0;|", "2"], ["3", "4"]]


def test_rows_keep_their_number_whatever_stands_between() -> None:
    table = read_file(b'\n\na,b\n"1\n2",3\n\n4,5\n', "x.csv").tables[0]
    assert table.rows.tolist() == [4, 7]


def test_empty_and_double_headings_have_names_of_their_own() -> None:
    assert read_file(b"a,,a,a (2)\n1,2,3,4\n", "x.csv").tables[0].columns == ("a", "column 2", "a (3)", "a (2)")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"a,b\n", "no row below"),
        (b"a,b\n1,2,3\n", "row 2: 3 cells under 2 headings"),
        (b'a,b\n1,"2\n3,4\n', "row 2: quotation marks"),
        (b'a,b\n1,"2"3\n', "row 2: quotation marks"),
        (b"a,b\n1,\x002\n", "control character"),
        (b"a,b\n\x81\x8d,1\n", "byte 4 is no text"),
        (b"a,b\n1," + b"x" * 20_001 + b"\n", "row 2: a cell of more than"),
        (b"a,b\n1," + b"x" * 200_000 + b"\n", "row 2: a cell of more than"),
        (b"a" + b",a" * 5_000 + b"\n" + b"1,2\n", "5000 columns"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old or encrypted workbook"),
        (b"PK\x03\x04" + b"\0" * 600, "is damaged"),
        (b"x" * (tables.MOST_BYTES + 1), "10.0 MB; allowed: at most 10 MB"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(DataError, match="allowed: ") as error:
        read_file(content, "folder/<b>x</b>.csv")
    assert words in str(error.value)
    assert "<" not in str(error.value), "a name cannot be markup"


def test_names_lose_folders_and_signs() -> None:
    for given_, kept in (
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.csv", "y.csv"),
        ('a\r\nb"<i>.csv', "abi.csv"),
        ("", "file"),
    ):
        assert tables.shown_name(given_) == kept
    assert len(tables.shown_name("x" * 500)) == 120


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (files, workbook, tables):
        monkeypatch.setattr(module, "MOST_ROWS", 5)
    rows: list[list[object]] = [["a", "b"], *([1, 2] for _ in range(9))]
    for content in (as_csv(rows), book(rows)):
        with pytest.raises(DataError, match="more than 5 rows"):
            read_file(content, "x")


def test_a_workbook_is_read_as_its_csv(survey: Survey) -> None:
    rows = plain_rows()
    for row in rows[1:]:
        row[9] = float(str(row[9]))
        row[10] = bool(row[10])
    from_book, from_csv = (read_file(content, "x") for content in (book(rows), as_csv(plain_rows())))
    assert (from_book.kind, from_csv.kind) == ("xlsx", "csv")
    made = [check(survey, file, guess(file, survey.definition)) for file in (from_book, from_csv)]
    assert [found.problems for found in made] == [(), ()]
    assert [p.choices[0].task for _, p in made[0].people] == [p.choices[0].task for _, p in made[1].people]


def test_formulas_and_markup_are_inert(survey: Survey) -> None:
    rows = plain_rows()
    rows[1][4], rows[2][4] = '=HYPERLINK("http://example.com")', "<script>alert(1)</script>"
    rows[3][9] = "=40*2"
    file = read_file(book(rows), "x.xlsx")
    cells = file.tables[0].cells
    assert cells["speed"].tolist()[:2] == ["", "<script>alert(1)</script>"], (
        "nobody has computed the formula, so it has no value"
    )
    assert cells["price"].tolist()[2] == ""
    found = check(survey, file, guess(file, survey.definition))
    assert {p.code for p in found.problems} == {"missing_level", "unknown_level"}
    csv_cells = read_file(as_csv(rows), "x.csv").tables[0].cells
    assert csv_cells["price"].tolist()[2] == "=40*2", "text, and no price"


def test_bombs_are_refused_before_they_unpack() -> None:
    for inside in ("xl/worksheets/sheet1.xml", "choices.csv"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("[Content_Types].xml" if inside.startswith("xl") else "README.txt", "x")
            made.writestr(inside, b"0" * 30_000_000)
        assert len(out.getvalue()) < 100_000
        with pytest.raises(DataError, match="unpacks to 30 MB"):
            read_file(out.getvalue(), "bomb.xlsx")


def test_document_types_are_refused() -> None:
    source = book([["a"], [1]])
    for encoding in ("utf-8", "utf-16"):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(source)) as before, zipfile.ZipFile(out, "w") as made:
            for part in before.infolist():
                content = before.read(part)
                if part.filename == "xl/workbook.xml":
                    content = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "b">]><x/>'.encode(
                        encoding
                    )
                made.writestr(part, content)
        with pytest.raises(DataError, match="document type"):
            read_file(out.getvalue(), "x.xlsx")


def test_a_cell_far_away_costs_nothing() -> None:
    made = openpyxl.Workbook()
    assert made.active is not None
    made.active["A1"], made.active["XFD1048576"] = "a", "far"
    out = io.BytesIO()
    made.save(out)
    with pytest.raises(DataError, match="more than 200000 rows"):
        read_file(out.getvalue(), "x.xlsx")


def test_other_zips_and_old_programs_are_told_apart() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("other.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"a zip without choices\.csv"):
        read_file(out.getvalue(), "x.zip")


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1.234,56", ",", 1234.56), ("1,234.56", ".", 1234.56), ("99,50 €", ",", 99.5), ("€99.50", ".", 99.5), ("EUR 80", "", 80),
        ("1.234", ",", 1234), ("1.234", ".", 1.234), ("-5", "", -5), ("1'234.5", ".", 1234.5), ("1e3", "", 1000), ("nan", "", None), ("inf", ".", None),
        ("1e999", ".", None), ("12a", "", None), ("", "", None), ("9" * 5000, "", None), ("1,2,3", ".", None), ("٣", "", 3),
    ],
)  # fmt: skip
def test_numbers(text: str, decimal: str, number: float | None) -> None:
    assert number_of(text, decimal) == number


def test_the_decimal_mark_is_guessed_only_where_it_can_be() -> None:
    assert decimal_mark(["80", "90,5"]) == ","
    assert decimal_mark(["1.234,5", "1.234"]) == ","
    assert decimal_mark(["80.25", "1,234"]) == "."
    assert decimal_mark(["1.234", "5.678"]) == AMBIGUOUS
    assert decimal_mark(["80", "word"]) == ""


def test_sawtooth_names_the_line_that_does_not_fit() -> None:
    right = (HERE / "study.cho").read_text(encoding="utf-8")
    for before, after, words in (
        ("1 2 7 4 1", "1 2 7 4", "line 1: found"),
        ("3 1\n", "0 1\n", "line 3: found 0 concepts"),
        (" 12\n", " x\n", "line 7: found"),
    ):
        wrong = right.replace(before, after, 1)
        assert wrong != right
        with pytest.raises(DataError, match="allowed: ") as error:
            read_file(wrong.encode(), "study.cho")
        assert words in str(error.value)
    with pytest.raises(DataError, match="line "):
        read_file("\n".join(right.splitlines()[:-3]).encode(), "study.cho")


FOUND = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_CELL = st.one_of(
    st.sampled_from(["1", "0", "2", "p1", "broad", "same_day", "80", "1.234,5", "=1+1", "<b>", "None", "nan", "1e400", "\ud800x"[1:], "٣", " ", "-", "{task}"]),
    st.text(max_size=6),
)  # fmt: skip


@FOUND
@given(content=st.binary(max_size=300), suffix=st.sampled_from(["csv", "xlsx", "cho", "chs", "zip"]), head=st.sampled_from([b"", b"PK\x03\x04", b"\xff\xfe", b"a,b\n"]))  # fmt: skip
def test_random_bytes_give_a_file_or_an_error_in_words(
    survey: Survey, content: bytes, suffix: str, head: bytes
) -> None:
    try:
        file = read_file(head + content, f"x.{suffix}")
        check(survey, file, guess(file, survey.definition))
    except WtpError as error:
        told(error)


@FOUND
@given(
    cells=st.lists(st.lists(_CELL, min_size=12, max_size=12), max_size=8),
    layout=st.sampled_from(["", "long", "tasks", "respondents"]),
    drop=st.integers(0, 11),
)
@example(cells=[["", "1", "", *["1"] * 9]], layout="", drop=2)  # no row is left of which levels could be read
def test_random_tables_give_problems_and_never_a_fault(
    survey: Survey, cells: list[list[str]], layout: str, drop: int
) -> None:
    heading = [name for at, name in enumerate(plain_rows()[0]) if at != drop]
    try:
        file = read_file(as_csv([heading, *[row[1:] for row in cells]]), "x.csv")
        mapping = guess(file, survey.definition, layout)
        assert mapping_of(mapping.to_toml(), "map") == mapping
        found = check(survey, file, mapping)
    except WtpError as error:
        told(error)
        return
    assert found.errors or found.choices
    for problem in found.problems:
        assert str(problem)


@FOUND
@given(place=st.integers(0, 20_000), byte=st.integers(0, 255))
def test_a_damaged_workbook_is_read_or_refused(survey: Survey, place: int, byte: int) -> None:
    whole = bytearray(_BOOK)
    whole[place % len(whole)] = byte
    try:
        file = read_file(bytes(whole), "x.xlsx")
        check(survey, file, guess(file, survey.definition))
    except WtpError as error:
        told(error)


_BOOK = book(plain_rows())


def test_a_file_on_the_disk_is_measured_before_it_is_read(tmp_path: object) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: No such file"):
        read_path(HERE / "nowhere.csv")
