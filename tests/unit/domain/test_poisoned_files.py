"""Files as they should not be: each with what is admitted, what is refused, and what is said of it."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest

from shared.domain.tables.admission import check_rows
from shared.domain.tables.contract import Contract
from shared.errors import ConfigurationError
from tests.unit.domain.clients import BANK, FAULTLESS, HEADER, NAMES, admitted

G = FAULTLESS
CELLS = G.split(";")


def cell(name: str, text: str) -> str:
    """The faultless row with another text in one column."""
    return ";".join(text if column == name else old for column, old in zip(NAMES, CELLS, strict=True))


def file(*lines: str, end: str = "\n", header: str = HEADER) -> bytes:
    return "".join(line + end for line in (header, *lines)).encode()


WHOLE_FILES = {
    "empty": (b"", "the file is empty"),
    "byte order mark only": (b"\xef\xbb\xbf", "the file is empty"),
    "blank lines only": (b"\n\r\n\n", "the file is empty"),
    "gzip": (gzip.compress(file(G)), "gzip data; unpack it"),
    "zip": (b"PK\x03\x04....", "a zip archive; unpack it"),
    "xlsx": (b"PK\x03\x04....xl/workbook.xml", "an Excel workbook; save the sheet"),
    "ods": (
        b"PK\x03\x04mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
        "an OpenDocument spreadsheet",
    ),
    "xz": (lzma.compress(file(G)), "xz data; unpack it"),
    "bzip2": (bz2.compress(file(G)), "bzip2 data; unpack it"),
    "7z": (b"7z\xbc\xaf'\x1c....", "a 7z archive"),
    "a PNG picture": (b"\x89PNG\r\n\x1a\n....", "a PNG picture"),
    "a JPEG picture": (b"\xff\xd8\xff\xe0....", "a JPEG picture"),
    "JSON": (b'\xef\xbb\xbf\n [{"age": 30}]', "JSON"),
    "JSON lines": (b'{"age": 30}\n{"age": 31}\n', "JSON"),
    "XML": (b'<?xml version="1.0"?><rows/>', "XML or HTML"),
    "a title above the header": (
        b"Clients of May\n" + file(G),
        "line 1 is no header: that of contract bank stands on line 2",
    ),
    "titles and blank lines above": (
        b"\nClients of May\n\nfor: the bank\n" + file(G),
        "lines 2 to 4 are no header: that of contract bank stands on line 5",
    ),
    "each line in one cell": (
        "".join(f'"{line}"\n' for line in (HEADER, G)).encode(),
        "each line stands in quotes as one value",
    ),
    "parquet": (b"PAR1....", "Parquet"),
    "pdf": (b"%PDF-1.7", "PDF"),
    "UTF-16 with mark": (file(G).decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without mark": (file(G).decode().encode("utf-16-le"), "NUL bytes"),
    "NUL in the header": (file(G, header="\0" + HEADER), "NUL bytes"),
    "Latin-1 header": (file(G).replace(b"age", b"\xe2ge"), "line 1, byte 1, is not UTF-8"),
    "quote opened in the header": (file(G, header='"' + HEADER), "the header, has a quote"),
    "one megabyte without a line end": (b"x" * 1_000_000, "longer than 65536 bytes"),
    "ten thousand columns": (file(G, header=";".join(f"c{n}" for n in range(10_000))), "9990 more"),
    "no header": (file(G, header=G), "fits no contract"),
    "a column missing": (file(G, header=HEADER.replace(";job", "")), "missing 'job'"),
    "a column too many": (file(G + ";x", header=HEADER + ";x"), "unexpected 'x'"),
    "a column twice": (file(G, header=HEADER + ";job"), "more than once 'job'"),
    "a column in other case": (
        file(G, header=HEADER.replace("job", "Job")),
        "(columns write 'job' for 'Job')",
    ),
    "a column with other signs": (
        file(G, header=HEADER.replace("job", "_j o-b.")),
        "write 'job' for '_j o-b.'",
    ),
    "a column renamed": (file(G, header=HEADER.replace("job", "trade")), "missing 'job'; unexpected 'trade'"),
    "the answer missing": (file(header=HEADER.removesuffix(";y")), "missing 'y'"),
    "an HTML page": (b"<html><body>Service unavailable</body></html>\n", "an HTML page"),
    "an HTML page with its kind": (b"\n<!DOCTYPE html>\n<html>", "an HTML page"),
    "a path as column": (file(G, header=HEADER.replace("age", "../../age")), "write 'age' for '../../age'"),
}


@pytest.mark.parametrize(("data", "said"), WHOLE_FILES.values(), ids=WHOLE_FILES.keys())
def test_a_file_that_is_no_table_of_ours_is_refused_whole(data: bytes, said: str) -> None:
    admission, batches = admitted(data)
    assert said in admission.problem
    assert not batches


FINE = {
    "LF": (file(G, G), 2, 0),
    "CRLF": (file(G, G, end="\r\n"), 2, 0),
    "CR": (file(G, G, end="\r"), 2, 0),
    "no line end at the end": (file(G, G)[:-1], 2, 0),
    "byte order mark": (b"\xef\xbb\xbf" + file(G), 1, 0),
    "blank lines everywhere": (b"\n\n" + file("", G, "", "", G, ""), 2, 4),
    "blank CRLF lines": (file("", G, "", end="\r\n"), 1, 2),
    "commas": (file(G).replace(b";", b","), 1, 0),
    "tabs": (file(G).replace(b";", b"\t"), 1, 0),
    "bars": (file(G).replace(b";", b"|"), 1, 0),
    "all quoted": (
        file(*['"' + G.replace(";", '";"') + '"'], header='"' + HEADER.replace(";", '";"') + '"'),
        1,
        0,
    ),
    "LF and CRLF mixed": (file(G, G + "\r", G), 3, 0),
    "CR CR LF": (file(G, G, end="\r\r\n"), 2, 0),
    "a header that ends with CR and rows with CRLF": (
        HEADER.encode() + b"\r" + file(G, G, end="\r\n", header=G),
        3,
        0,
    ),
    "a header that ends with CR and rows with LF": (HEADER.encode() + b"\r" + file(G, header=G), 2, 0),
    "a header that ends with LF and rows with CR": (
        HEADER.encode() + b"\n" + file(G, header=G, end="\r"),
        2,
        0,
    ),
    "a line that names the delimiter": (b"sep=;\n" + file(G), 1, 0),
    "one with a mark, in quotes, with CRLF": (b'\xef\xbb\xbf"SEP=;"\r\n' + file(G, end="\r\n"), 1, 0),
    "plus sign and leading zeros": (file(cell("age", "+030")), 1, 0),
    "spaces around column names": (file(G, header=HEADER.replace(";", " ; ")), 1, 0),
    "an ignored column with delimiters": (file(G + ';"a;b;c"', header=HEADER + ";id"), 1, 0),
    "an ignored column with doubled quotes": (file(G + ';"say ""no"""', header=HEADER + ";id"), 1, 0),
}


@pytest.mark.parametrize(("data", "rows", "blank"), FINE.values(), ids=FINE.keys())
def test_an_odd_file_may_be_fine(data: bytes, rows: int, blank: int) -> None:
    admission, _ = admitted(data)
    tally = admission.tally
    assert (admission.problem, tally.accepted, tally.rejected, tally.blank_lines) == ("", rows, 0, blank)
    assert not tally.refusal


AGE = "age: not an integer"
OPEN = 'a quote (") is opened and not closed'
INSIDE = 'a quote (") stands inside a quoted value'
UNQUOTED = 'a quote (") stands inside a value without quotes'
JOBS = "admin., blue-collar, entrepreneur, housemaid, management, retired, self-employed, services, student, "
JOB = f"job: not one of: {JOBS}technician, unemployed, unknown"

ROWS = {
    # lines after the header; rows admitted; (physical line, rule) of those refused
    "one value short": ([G, G[:-3], G], 2, [(3, "expected 17 values, found 16")]),
    "one value too many": ([G, G + ";x"], 1, [(3, "expected 17 values, found 18")]),
    "a thousand values": ([";" * 1000, G], 1, [(2, "expected 17 values, found more than 34")]),
    "a line of spaces": (["   ", G], 1, [(2, "expected 17 values, found 1")]),
    "the header again": ([G, HEADER, G], 2, [(3, "the header again")]),
    "the header again, in quotes and with a mark": (
        [G, '\ufeff"' + HEADER.replace(";", '";"') + '"', G], 2, [(3, "a quote (\") stands inside a value without quotes")],
    ),
    "the header again, with a mark": ([G, "\ufeff" + HEADER, G], 2, [(3, "the header again")]),
    "a total at the foot": ([G, "Total;1"], 1, [(3, "expected 17 values, found 2")]),
    "the header of another file": ([G, HEADER + ";z"], 1, [(3, "expected 17 values, found 18")]),
    "a stray opening quote": ([G, '"' + G, G, G], 3, [(3, OPEN)]),
    "two stray opening quotes": ([G, '"' + G, G, '"' + G, G], 3, [(3, OPEN), (5, OPEN)]),
    "two stray quotes that would pair": (
        [G, cell("job", '"admin.'), G, G, cell("job", 'admin."'), G], 4, [(3, OPEN), (6, UNQUOTED)],
    ),
    "a quote that closes too early": ([cell("job", '"ad"min."'), G], 1, [(2, INSIDE)]),
    "a quote inside a plain value": ([cell("job", 'ad"min.'), G], 1, [(2, UNQUOTED)]),
    "a quote before the end of a plain value": ([cell("job", 'admin."'), G], 1, [(2, UNQUOTED)]),
    "a quote after a blank": ([cell("job", ' "admin."'), G], 1, [(2, UNQUOTED)]),
    "inches in quotes that are not doubled": ([cell("y", 'no;5"'), G], 1, [(2, UNQUOTED)]),
    "single quotes": ([cell("job", "'admin.'"), G], 1, [(2, JOB)]),
    "an opening quote in the last line": ([G, '"' + G], 1, [(3, OPEN)]),
    "a quoted line break in a category": (
        [cell("job", '"admin.\n"'), G], 1, [(2, OPEN), (3, OPEN)],
    ),
    "a lone CR in a value": ([cell("job", "ad\rmin."), G], 1, [(2, "mixed line ends: a CR stands inside the line")]),
    "a NUL byte": ([cell("job", "admin.\0"), G], 1, [(2, "a NUL byte")]),
    "a field of a megabyte": ([G, cell("job", "x" * 1_000_000), G], 2, [(3, "longer than 65536 bytes")]),
    "a quoted field of a megabyte of lines": ([G, cell("job", '"' + "x\n" * 50), G], 2, None),
    "a field of 60 kilobytes": ([G, cell("job", "x" * 60_000), G], 2, [(3, JOB)]),
    "Ctrl-Z at the end": ([G, "\x1a"], 1, [(3, "expected 17 values, found 1")]),
    "a formula": ([cell("age", "=1+1"), cell("age", "@SUM(A1)"), G], 1, [(2, AGE), (3, AGE)]),
    "a formula that calls": ([cell("job", "=cmd|'/c calc'!A0"), G], 1, [(2, JOB)]),
    "a decimal point in an integer": ([cell("age", "30.0")], 0, [(2, AGE)]),
    "a thousand separator": ([cell("balance", "1.787"), cell("balance", "1,787"), G], 1, None),
    "digits of another script": ([cell("age", "٣٠"), cell("age", "３０"), G], 1, [(2, AGE), (3, AGE)]),
    "an underscore between digits": ([cell("age", "3_0")], 0, [(2, AGE)]),
    "spaces around a number": ([cell("age", " 30")], 0, [(2, AGE)]),
    "an exponent": ([cell("age", "3e1")], 0, [(2, AGE)]),
    "a number of five thousand digits": ([cell("age", "9" * 5000)], 0, [(2, AGE)]),
    "NaN, Infinity, None, NULL": (
        [cell("age", text) for text in ("NaN", "inf", "None", "NULL")], 0, [(n, AGE) for n in (2, 3, 4, 5)],
    ),
    "a date": ([cell("day", "2024-02-30")], 0, [(2, "day: not an integer")]),
    "a day out of range": (
        [cell("day", "32"), cell("day", "0")], 0, [(2, "day: above 31"), (3, "day: below 1")],
    ),
    "too young": ([cell("age", "16"), cell("age", "-30")], 0, [(2, "age: below 17"), (3, "age: below 17")]),
    "an empty value": (
        [cell("age", ""), cell("job", '""')], 0, [(2, "age: empty value"), (3, "job: empty value")],
    ),
    "capitals": ([cell("job", "Admin.")], 0, [(2, JOB)]),
    "a look-alike letter": ([cell("job", "аdmin.")], 0, [(2, JOB)]),
    "a zero-width space": ([cell("job", "admin.\u200b")], 0, [(2, JOB)]),
    "a byte order mark in the middle": ([G, "\ufeff" + G], 1, [(3, AGE)]),
    "a Unicode line separator": ([cell("job", "admin.\u2028x"), G], 1, [(2, JOB)]),
    "form feed and vertical tab": (
        [cell("job", "admin.\x0cx"), cell("job", "admin.\x0bx"), G], 1, [(2, JOB), (3, JOB)],
    ),
    "another delimiter in one row": ([G.replace(";", ","), G], 1, [(2, "expected 17 values, found 1")]),
    "an unknown answer": ([cell("y", "maybe")], 0, [(2, "y: not one of: no, yes")]),
    "an answer withheld": ([cell("y", "")], 0, [(2, "y: empty value")]),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "rows", "refused"), ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("pieces", [1 << 20, 13])
def test_a_bad_row_is_named_and_its_neighbours_are_admitted(
    lines: list[str], rows: int, refused: list[tuple[int, str]] | None, pieces: int
) -> None:
    data = file(*lines)
    admission, batches = admitted(data, pieces=min(pieces, len(data)) if len(data) < 10_000 else 1 << 16)
    assert admission.problem == ""
    assert admission.tally.accepted == rows
    rejects = [reject for batch in batches for reject in batch.rejects]
    if refused is not None:
        faults = [(reject.line, reject.faults[0]) for reject in rejects]
        assert [(n, f"{f.column}: {f.rule}" if f.column else f.rule) for n, f in faults] == refused
    assert all(fault.remedy for reject in rejects for fault in reject.faults)
    assert sum(admission.tally.by_rule.values()) == sum(len(reject.faults) for reject in rejects)


def test_latin_1_in_a_row_costs_the_row() -> None:
    admission, batches = admitted(file(G, cell("job", "cônjuge"), G).decode().encode("latin-1"))
    assert admission.tally.accepted == 2
    [reject] = [reject for batch in batches for reject in batch.rejects]
    assert reject.line == 3
    assert reject.faults[0].rule == "bytes that are not UTF-8"
    assert "c\\xf4njuge" in reject.raw


def test_a_row_with_several_faults_lists_them_all() -> None:
    bad = cell("age", "=1+1").replace("married", "Married").replace(";oct;", ";okt;")
    _, batches = admitted(file(G, bad))
    [reject] = batches[0].rejects
    assert [fault.column for fault in reject.faults] == ["age", "marital", "month"]
    assert reject.raw == bad
    assert reject.message.startswith(
        "line 3: age: '=1+1' is not an integer (write digits only, such as 42); "
    )
    assert "(write 'married')" in reject.message


def test_a_file_none_of_whose_rows_fit_says_what_is_wrong_most_often() -> None:
    admission, _ = admitted(file(cell("age", "x"), cell("age", "y"), "z"))
    assert admission.tally.refusal == (
        "none of the 3 rows fits the contract; most often (2 times): age: not an integer"
    )


def test_a_header_without_rows_is_refused() -> None:
    admission, _ = admitted(file())
    assert admission.problem == ""
    assert "a header and no rows" in admission.tally.refusal


WITH_NOTES = Contract.from_json({**BANK.to_json(), "ignored": ["id", {"name": "note", "line_ends": True}]})


def lines_of(data: bytes, contract: Contract) -> tuple[list[int], dict[int, str]]:
    """Where the admitted records begin, and the rule each of the others breaks."""
    admission = check_rows([data], [contract])
    batches = list(admission.batches())
    assert admission.problem == ""
    rejects = {reject.line: reject.faults[0].rule for batch in batches for reject in batch.rejects}
    return [line for batch in batches for line in batch.lines], rejects


def test_a_lost_quote_in_an_ignored_column_takes_no_line_with_it() -> None:
    rows = [f"{G};{n}" for n in range(30)]
    rows[5], rows[6] = f'{G};"5', '46;technician;married;lost row;6"'
    admitted_at, refused = lines_of(file(*rows, header=HEADER + ";id"), BANK)
    assert refused == {7: OPEN, 8: UNQUOTED}
    assert len(admitted_at) == 28


def test_a_record_of_several_lines_is_where_the_contract_has_one() -> None:
    header = HEADER + ";id;note"
    rows = [f'{G};1;"called\ntwice"', f"{G};2;plain", f'{G};"3\n";plain', f"{G};4;plain"]
    assert lines_of(file(*rows, header=header), WITH_NOTES) == ([2, 4, 7], {5: OPEN, 6: OPEN})


def test_a_contract_says_which_column_may_hold_line_ends() -> None:
    assert Contract.from_json(WITH_NOTES.to_json()) == WITH_NOTES
    with pytest.raises(ConfigurationError, match="'line_end'"):
        Contract.from_json({**BANK.to_json(), "ignored": [{"name": "note", "line_end": True}]})


def test_a_file_that_breaks_off_in_its_last_line_says_so() -> None:
    for cut in (G[:30], '"' + G[:30]):
        _, refused = lines_of(file(G)[:-1] + b"\n" + cut.encode(), BANK)
        assert list(refused) == [3]
    _, refused = lines_of(file(G) + G[:30].encode(), BANK)
    assert refused == {3: "the file breaks off here: expected 17 values, found 5"}
    _, refused = lines_of(file(G, G[:30]), BANK)
    assert refused == {3: "expected 17 values, found 5"}


def test_lines_are_counted_as_the_file_has_them_whatever_ends_them() -> None:
    for end, first in (("\r\r\n", 2), ("\r", 2), ("\n", 2)):
        assert lines_of(file(*[G] * 40, end=end), BANK) == (list(range(first, first + 40)), {})
    assert lines_of(b"sep=;\n\n" + file(G), BANK) == ([4], {})
