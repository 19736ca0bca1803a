"""Kinds of malformed files, made from a good table of a contract: how it is written, what stands around it, what became
of its header, of a row and of a value, and where the file was cut.

Nothing here reads a file, and nothing is taken from the reader: a kind is written down together with what must become of
each row. What no reader can see is not among them: two columns of one type under each other's names, and a number at the
very end that was cut short.
source: G. van den Burg, A. Nazábal, C. Sutton, Wrangling messy CSV files by detecting row and type patterns, Data Mining
and Knowledge Discovery 33 (2019); and reports of files that people could not load
"""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import itertools
import json
import lzma
import quopri
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

NAMES = (
    "age", "job", "marital", "education", "default", "balance", "housing", "loan", "contact", "day", "month", "duration",
    "campaign", "pdays", "previous", "poutcome", "y",
)  # fmt: skip
"""Of contracts/bank.yaml."""
INTEGERS = ("age", "balance", "day", "duration", "campaign", "pdays", "previous")

Row = tuple[str, ...]

ROWS: tuple[Row, ...] = tuple(
    (
        str(30 + at), ("technician", "admin.", "retired")[at % 3], ("married", "single")[at % 2], "primary", "no",
        str(1000 + 111 * at), ("no", "yes")[at % 2], "no", ("cellular", "telephone")[at % 2], str(5 + at),
        ("oct", "may", "jun")[at % 3], str(100 + 7 * at), str(1 + at % 3), "-1", "0", "unknown", ("no", "yes")[at % 2],
    )
    for at in range(7)
)  # fmt: skip
"""Made-up clients; no two have the same age, balance or duration, by which each is known again."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a table is written."""

    encoding: str = "utf-8"
    delimiter: str = ";"
    quote: tuple[str, str] = ("", "")
    """What stands before and behind each value."""
    end: str = "\n"

    def line(self, cells: Sequence[str]) -> str:
        before, behind = self.quote
        return self.delimiter.join(f"{before}{cell}{behind}" for cell in cells)

    def encoded(self, lines: Sequence[str]) -> bytes:
        return "".join(line + self.end for line in lines).encode(self.encoding)


PLAIN = Style()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of malformed file, and what must become of it."""

    name: str
    data: bytes
    rows: frozenset[int] = frozenset(range(len(ROWS)))
    """Rows of the table that must be admitted, as they stand in it; no other values may be."""
    aside: dict[int, tuple[str, str]] = field(default_factory=dict)
    """By physical line, the first being 1, what must be put aside: column (empty for the line as a whole) and value."""
    refused: bool = False
    """Whether all of the file must be put aside."""
    says: str = ""
    """A pattern that what is said of it must match."""


ALL = frozenset(range(len(ROWS)))
NONE: frozenset[int] = frozenset()
WIDTH = r"expected 17 values, found \d+"
LINES = [PLAIN.line(cells) for cells in (NAMES, *ROWS)]


def text_of(lines: Sequence[str], end: str = "\n") -> bytes:
    return PLAIN.encoded(lines) if end == "\n" else replace(PLAIN, end=end).encoded(lines)


def everything() -> Iterator[Kind]:
    for family in FAMILIES.values():
        yield from family()


# --- how it is written ------------------------------------------------------------------------------------------

ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp1252", "latin-1",
    "mac-roman", "cp437", "shift_jis", "gb18030", "koi8-r", "cp037", "cp500", "utf-7",
)  # fmt: skip
DELIMITERS = (
    ";",
    ",",
    "\t",
    "|",
    ":",
    " ",
    "~",
    "^",
    "!",
    "#",
    "/",
    "\x1f",
    "\x01",
    "¦",
    "||",
    ";;",
    ", ",
    " ; ",
    "\\t",
)
QUOTES = {
    "none": ("", ""), "double": ('"', '"'), "single": ("'", "'"), "backtick": ("`", "`"), "guillemets": ("«", "»"),
    "typographic": ("“", "”"), "low-high": ("„", "“"), "two-single": ("''", "''"), "tripled": ('"""', '"""'),
    "escaped": ('\\"', '\\"'), "brackets": ("[", "]"), "formula": ('="', '"'),
}  # fmt: skip
ENDS = {
    "LF": "\n", "CRLF": "\r\n", "CR": "\r", "CRCRLF": "\r\r\n", "LFCR": "\n\r", "NEL": "\x85",
    "LS": "\u2028", "PS": "\u2029",
    "VT": "\v", "FF": "\f", "RS": "\x1e", "backslash-n": "\\n", "two": "\n\n",
    "blank-before": " \n", "delimiter-before": ";\n",
    "NUL-before": "\0\n", "html": "<br>\n",
}  # fmt: skip
READ_ENDS = {"LF", "CRLF", "CR", "CRCRLF", "two"}


def written(style: Style) -> bytes:
    return style.encoded([style.line(cells) for cells in (NAMES, *ROWS)])


def is_read(style: Style) -> bool:
    """Whether the manual says that a file may be written so."""
    in_utf8 = [written(replace(style, encoding=name)) for name in ("utf-8", "utf-8-sig")]
    return (
        written(style) in in_utf8  # many encodings write these letters as UTF-8 does
        and style.delimiter in (";", ",", "\t", "|")
        and style.quote in (QUOTES["none"], QUOTES["double"])
        and next(name for name, end in ENDS.items() if end == style.end) in READ_ENDS
    )


def _in(style: Style, name: str) -> Kind | None:
    """None where the encoding has no such sign."""
    try:
        data = written(style)
    except UnicodeEncodeError:
        return None
    if is_read(style):
        return Kind(name=name, data=data)
    return Kind(name=name, data=data, rows=NONE, refused=True)


def one_thing_otherwise() -> Iterator[Kind]:
    """Each way to write by itself."""
    ways: list[tuple[str, Style]] = [(f"encoding {name}", Style(encoding=name)) for name in ENCODINGS]
    ways += [(f"delimiter {sign!r}", Style(delimiter=sign)) for sign in DELIMITERS]
    ways += [(f"quote {name}", Style(quote=quote)) for name, quote in QUOTES.items()]
    ways += [(f"line end {name}", Style(end=end)) for name, end in ENDS.items()]
    yield from filter(None, (_in(style, name) for name, style in ways))


def two_things_otherwise() -> Iterator[Kind]:
    """All pairs of ways to write."""
    dimensions = {
        "encoding": {name: name for name in ENCODINGS[1:]},
        "delimiter": {repr(sign): sign for sign in DELIMITERS[1:]},
        "quote": dict(itertools.islice(QUOTES.items(), 1, None)),
        "end": dict(itertools.islice(ENDS.items(), 1, None)),
    }
    for (one, ones), (other, others) in itertools.combinations(dimensions.items(), 2):
        for (a, first), (b, second) in itertools.product(ones.items(), others.items()):
            made = _in(replace(PLAIN, **{one: first, other: second}), f"{one} {a}, {other} {b}")  # type: ignore[arg-type]
            if made:
                yield made


# --- what it is in place of a table ---------------------------------------------------------------------------


def other_formats() -> Iterator[Kind]:
    data, text = written(PLAIN), "\n".join(LINES)
    records = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("clients.csv", data)
    taped = io.BytesIO()
    with tarfile.open(fileobj=taped, mode="w") as tape:
        about = tarfile.TarInfo("clients.csv")
        about.size = len(data)
        tape.addfile(about, io.BytesIO(data))
    cells = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in (NAMES, *ROWS))
    bars = [f"| {' | '.join(row)} |" for row in (NAMES, ["---"] * len(NAMES), *ROWS)]
    inserts = "".join(f"INSERT INTO clients VALUES ('{row[0]}', '{row[1]}');\n" for row in ROWS)  # noqa: S608
    wide = ["".join(f"{cell:<14}" for cell in row) for row in (NAMES, *ROWS)]
    turned = [PLAIN.line(column) for column in zip(NAMES, *ROWS, strict=True)]
    pairs = [";".join(f"{n}={v}" for n, v in record.items()) for record in records]
    mail = f"From: bank@example.org\nSubject: clients\nContent-Type: text/csv\n\n{text}\n"
    forms = {
        "nothing": b"", "a blank": b" ", "line ends alone": b"\n\n\r\n", "a mark alone": b"\xef\xbb\xbf",
        "NULs": b"\0" * 4096, "0xFF": b"\xff" * 4096, "noise": zlib.compress(data * 40), "gzip": gzip.compress(data),
        "gzip, cut": gzip.compress(data)[:60], "bzip2": bz2.compress(data), "xz": lzma.compress(data),
        "zip": zipped.getvalue(), "tar": taped.getvalue(), "base64": base64.b64encode(data),
        "base64 in lines": base64.encodebytes(data), "hex": data.hex().encode(), "PDF": b"%PDF-1.7\n" + data,
        "PNG": b"\x89PNG\r\n\x1a\n" + data, "JPEG": b"\xff\xd8\xff\xe0" + data, "Parquet": b"PAR1" + data + b"PAR1",
        "JSON": json.dumps(records).encode(), "JSON by column": json.dumps({"age": [1]}).encode(),
        "JSON lines": "\n".join(map(json.dumps, records)).encode(), "JSON text": json.dumps(text).encode(),
        "XML": b"<?xml version='1.0'?><clients/>", "HTML": f"<html><table>{cells}</table></html>".encode(),
        "HTML part": f"<table>{cells}</table>".encode(), "Markdown": "\n".join(bars).encode(),
        "SQL": inserts.encode(), "YAML": "".join(f"- age: {row[0]}\n" for row in ROWS).encode(),
        "TOML": b'[[client]]\nage = 30\njob = "admin."\n', "INI": b"[client]\nage=30\n", "RTF": b"{\\rtf1 " + data + b"}",
        "fixed widths": "\n".join(wide).encode(), "turned on its side": "\n".join(turned).encode(),
        "name=value": "\n".join(pairs).encode(), "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\n",
        "a path": b"C:\\exports\\clients.csv\n", "an address": b"https://example.org/clients.csv\n",
        "a mail": mail.encode(), "an HTTP answer": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + b"no clients",
        "an error page": b"<!DOCTYPE html><title>503</title>",
    "a traceback": b"Traceback (most recent call last):\n  x\n",
        "ARFF": b"@relation bank\n@attribute age numeric\n@data\n30,admin.\n",
    "a VCF": b"##fileformat=VCFv4.2\n#CHROM\tPOS\n",
        "a listing": b"total 8\n-rw-r--r-- 1 root root 812 clients.csv\n",
    "an email's list": b"a@example.org; b@example.org\n",
        "one number": b"42\n", "one word": b"clients\n", "a quote": b'"', "two quotes": b'""\n',
    "delimiters": b";;;;\n;;;;\n",
        "a pickle": b"\x80\x04\x95\x10\x00\x00\x00",
    "SQLite": b"SQLite format 3\x00" + b"\0" * 80, "Avro": b"Obj\x01\x04",
        "ORC": b"ORC\x0a\x0b", "Arrow": b"ARROW1\x00\x00", "an old workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "zlib": zlib.compress(data), "quoted-printable": quopri.encodestring(("é" + text).encode("latin-1")),
    }  # fmt: skip
    for name, form in forms.items():
        yield Kind(name=f"format {name}", data=form, rows=NONE, refused=True)


# --- what stands around it ------------------------------------------------------------------------------------


def surroundings() -> Iterator[Kind]:
    above = {
        "a title": ["Clients of May"], "three titles": ["Bank", "Clients", "May"], "a wide title": ["Clients" + ";" * 16],
        "a comment": ["# clients"], "units": [PLAIN.line(["years"] * 17)], "numbers": [PLAIN.line(map(str, range(17)))],
        "letters": [PLAIN.line("ABCDEFGHIJKLMNOPQ")], "delimiters": [";" * 16],
    "a front matter": ["---", "title: x", "---"],
        "a dialect": ["delimiter=;"], "another header": ["a;b;c"], "a prompt": ["sql> select * from clients;"],
        "a count": ["7 rows"], "a rule": ["-" * 40],
    }  # fmt: skip
    for name, lines in above.items():
        yield Kind(name=f"above: {name}", data=text_of([*lines, *LINES]), rows=NONE, refused=True)
    skipped = {"an empty line": ["", ""], "sep=": ["sep=;"], "an empty line and sep=": ["", "sep=;"]}
    for name, lines in skipped.items():
        yield Kind(name=f"above: {name}", data=text_of([*lines, *LINES]))
    end = len(LINES) + 1
    below = {
        "a total": "Total;7", "a count": "(7 rows affected)", "a comment": "# end", "an end": "-- end --", "EOF": "EOF",
        "a rule": "-" * 40, "a date": "2026-11-29 10:00", "a note": "Note: made up", "an old end": "\x1a", "a NUL": "\0",
        "a brace": "}", "a tag": "</table>", "a wide total": PLAIN.line(["Total", *[""] * 16]),
        "delimiters": ";" * 16, "half a row": LINES[1][:20], "a quote": '"', "dots": "...", "blanks": "   ",
        "an error": "ORA-01555: snapshot too old", "a page": "Page 1 of 1", "a log": "INFO done; took 3 s",
    }  # fmt: skip
    for name, line in below.items():
        yield Kind(name=f"below: {name}", data=text_of([*LINES, line]), aside={end: ("?", "?")})
    yield Kind(name="below: empty lines", data=text_of([*LINES, "", "", ""]))
    yield Kind(name="below: no line end", data=text_of(LINES)[:-1])
    again = {
        "the header again": (LINES[0], "the header again"),
    "another header": (";".join("abcdefghijklmnopq"), "another header"),
        "another table's row": (PLAIN.line(["x"] * 17), "another table"), "a merge conflict": ("<<<<<<< HEAD", WIDTH),
        "a line of a log": ("INFO: half", WIDTH), "a comment": ("# half", WIDTH), "a progress": ("50%\r", "."),
        "binary": ("\0\1\2\3", "NUL"), "a tag": ("<hr>", WIDTH), "an ANSI colour": ("\x1b[31m", WIDTH),
    }  # fmt: skip
    for name, (line, says) in again.items():
        for at in (1, 4):
            lines = [*LINES[: at + 1], line, *LINES[at + 1 :]]
            yield Kind(
                name=f"after row {at}: {name}", data=text_of(lines), aside={at + 2: ("?", "?")}, says=says
            )
    yield Kind(
        name="twice in one file", data=text_of([*LINES, *[LINES[0]]]), aside={end: ("?", "?")}, says="the header again"
    )  # fmt: skip
    other = [";".join(["col"] * 5), ";".join(["val"] * 5)]
    yield Kind(
        name="another table below", data=text_of([*LINES, "", *other]),
        aside={end + 1: ("?", "?"), end + 2: ("?", "?")}, says="another table|expected",
    )  # fmt: skip
    glued = [*LINES[:-1], LINES[-1] + LINES[0]]
    yield Kind(
        name="two files without a line end between", data=text_of(glued), rows=ALL - {6},
        aside={8: ("?", "?")}, says=WIDTH
    )  # fmt: skip


# --- its header -----------------------------------------------------------------------------------------------


def headers() -> Iterator[Kind]:
    def named(names: Sequence[str]) -> bytes:
        return text_of([PLAIN.line(names), *LINES[1:]])

    def refused(name: str, data: bytes) -> Kind:
        return Kind(name=f"header: {name}", data=data, rows=NONE, refused=True, says="header")

    for at, column in enumerate(NAMES):
        rest = [*NAMES[:at], *NAMES[at + 1 :]]
        yield refused(f"without {column}", named(rest))
        yield refused(f"{column} renamed", named([*NAMES[:at], f"{column}_x", *NAMES[at + 1 :]]))
        yield refused(f"{column} in capitals", named([*NAMES[:at], column.upper(), *NAMES[at + 1 :]]))
        twice = NAMES[(at + 1) % len(NAMES)]
        yield refused(f"{column} under its neighbour's name", named([*NAMES[:at], twice, *NAMES[at + 1 :]]))
        yield refused(f"{column} without a name", named([*NAMES[:at], "", *NAMES[at + 1 :]]))
        unit = named([*NAMES[:at], f"{column} (unit)", *NAMES[at + 1 :]])
        yield refused(f"{column} with a unit", unit)
        yield Kind(
            name=f"header: a mark before {column}", data=named([*NAMES[:at], f"\ufeff{column}", *NAMES[at + 1 :]])
        )  # fmt: skip
        yield Kind(
            name=f"header: blanks around {column}", data=named([*NAMES[:at], f" {column} ", *NAMES[at + 1 :]])
        )  # fmt: skip
    whole = {
        "in capitals": named([name.upper() for name in NAMES]), "missing": text_of(LINES[1:]),
        "numbers": named([str(at) for at in range(17)]), "letters": named("ABCDEFGHIJKLMNOPQ"),
        "a column too many": named([*NAMES, "note"]), "two too many": named([*NAMES, "a", "b"]),
        "a trailing delimiter": named([*NAMES, ""]), "a leading delimiter": named(["", *NAMES]),
        "half": named(NAMES[:8]), "in one cell": text_of([f'"{LINES[0]}"', *LINES[1:]]),
        "with commas": text_of([LINES[0].replace(";", ","), *LINES[1:]]),
        "with blanks": text_of([LINES[0].replace(";", " "), *LINES[1:]]),
        "single quotes": named([f"'{name}'" for name in NAMES]), "brackets": named([f"[{name}]" for name in NAMES]),
        "a table's name": named([f"clients.{name}" for name in NAMES]), "over two lines": text_of(
            [PLAIN.line(NAMES[:9]), PLAIN.line(NAMES[9:]), *LINES[1:]]
        ), "an open quote": text_of(['"' + LINES[0], *LINES[1:]]), "a lost quote": named(['"age', *NAMES[1:]]),
        "a NUL": named(["a\0ge", *NAMES[1:]]), "not UTF-8": named(["äge", *NAMES[1:]]).replace("ä".encode(), b"\xe4"),
        "a comment": text_of(["#" + LINES[0], *LINES[1:]]),
    "another language": named([f"spalte{at}" for at in range(17)]),
        "another alphabet": named(["аge", *NAMES[1:]]), "alone, of another table": b"a;b;c\n1;2;3\n",
        "far too long": text_of([LINES[0] + ";" + "x" * 70_000, *LINES[1:]]),
    }  # fmt: skip
    for name, data in whole.items():
        yield Kind(name=f"header: {name}", data=data, rows=NONE, refused=True)
    yield Kind(name="header alone", data=text_of(LINES[:1]), rows=NONE, refused=True, says="no rows")
    yield Kind(
        name="header alone, without a line end", data=LINES[0].encode(), rows=NONE, refused=True, says="no rows"
    )  # fmt: skip
    order = [*range(5, 17), *range(5)]
    moved = [PLAIN.line([cells[at] for at in order]) for cells in (NAMES, *ROWS)]
    yield Kind(name="columns in another order", data=text_of(moved))
    for name, end in (("CR", "\r"), ("CRLF", "\r\n"), ("CRCRLF", "\r\r\n")):
        yield Kind(name=f"header: ends in {name}", data=LINES[0].encode() + end.encode() + text_of(LINES[1:]))
    numbered = [PLAIN.line(["id", *NAMES]), *(PLAIN.line([str(at), *row]) for at, row in enumerate(ROWS))]
    yield Kind(name="an ignored column", data=text_of(numbered))


# --- a value --------------------------------------------------------------------------------------------------

NO_NUMBER = {
    "decimals": "57.0", "a fraction": "57.5", "a comma": "57,0", "an underscore": "5_7", "thousands": "1.057.000",
    "thousands, blank": "1 057", "thousands, apostrophe": "1'057", "an exponent": "5e1", "hexadecimal": "0x39",
    "a letter O": "5O", "a letter l": "l7", "words": "fifty", "a unit": "57 years", "a currency": "€57",
    "a percent": "57%", "brackets": "(57)", "a minus behind": "57-", "two minus": "--57",
    "a long dash": "–57", "a sign alone": "-",
    "a plus alone": "+", "a point": ".", "nothing": "", "a blank": " ", "a blank before": " 57", "a blank behind": "57 ",
    "a blank without width": "5\u200b7", "a hard blank": "57\u00a0", "a narrow blank": "5\u202f7", "a tab behind": "57\t",
    "NULL": "NULL", "null": "null", "None": "None", "NaN": "NaN", "nan": "nan", "N/A": "N/A", "NA": "NA", "#N/A": "#N/A",
    "#REF!": "#REF!", "#VALUE!": "#VALUE!", "#DIV/0!": "#DIV/0!", "inf": "inf",
    "Infinity": "-Infinity", "a question": "?",
    "a dot for none": "·", "TRUE": "TRUE", "a date": "2026-11-29", "a time": "10:57",
    "a formula": "=57", "an Excel text": "'57",
    "digits of another script": "५७", "wide digits": "５７", "a superscript": "5²",
    "a Roman number": "Ⅴ", "too many digits":
    "5" * 25, "far too many digits": "5" * 5000, "an overflow": "1e400", "a fraction sign": "½", "a backslash": "57\\",
    "a comment": "57 #", "a range": "50-57", "a list": "57/58", "an error": "ERR",
    "an object": "[object Object]", "a mark":
    "\ufeff57", "another direction": "\u202e57", "an accent": "57\u0301", "a bell": "57\x07", "a substitute": "5\x1a7",
}  # fmt: skip
"""Texts that are no integer; what each shows."""
NO_WORD = {
    "capitals": str.upper, "a capital": str.title, "a blank before": lambda t: " " + t,
    "a blank behind": lambda t: t + " ",
    "a hard blank": lambda t: t + "\u00a0", "a tab": lambda t: t + "\t", "no width": lambda t: t[0] + "\u200b" + t[1:],
    "soft hyphen": lambda t: t[0] + "\u00ad" + t[1:], "a letter lost": lambda t: t[:-1],
    "a letter twice": lambda t: t + t[-1],
    "two letters swapped": lambda t: t[1] + t[0] + t[2:], "half": lambda t: t[: len(t) // 2], "nothing": lambda t: "",
    "a question": lambda t: "?", "NULL": lambda t: "NULL", "NaN": lambda t: "nan",
    "a number": lambda t: "1", "zero": lambda t: "0",
    "single quotes": lambda t: f"'{t}'", "brackets": lambda t: f"[{t}]", "a mark": lambda t: "\ufeff" + t,
    "another direction": lambda t: "\u202e" + t, "an accent": lambda t: t[0] + "\u0301" + t[1:],
    "another alphabet": lambda t: t.translate({ord("o"): "о", ord("e"): "е"}), "wide letters":
    lambda t: "".join(chr(ord(sign) + 0xFEE0) if sign.isalpha() else sign for sign in t), "an entity": lambda t: f"&{t}",
    "a percent sign": lambda t: t + "%20", "an emoji": lambda t: t + "🙂", "another word": lambda t: "astronaut",
    "turned": lambda t: t[::-1], "twice": lambda t: f"{t}|{t}", "a bell": lambda t: t + "\x07", "a very long word":
    lambda t: t * 2000, "a byte order": lambda t: "ï»¿" + t, "mojibake": lambda t: t[0] + "Ã©" + t[1:],
}  # fmt: skip
NUMBERS_OFF = {
    "age": ("16", "121", "-30", "0", "30000"), "balance": ("-1000001", "10000001"), "day": ("0", "32", "-1"),
    "duration": ("-1", "20001"), "campaign": ("0", "201", "-1"), "pdays": ("-2", "10000"), "previous": ("-1", "501"),
}  # fmt: skip
"""Beyond the contract's bounds."""
WORDS = ("job", "month", "y")


def _cell(row: int, column: str, text: str) -> list[str]:
    """The table's lines with another text in one place."""
    cells = list(ROWS[row])
    cells[NAMES.index(column)] = text
    return [*LINES[: row + 1], PLAIN.line(cells), *LINES[row + 2 :]]


def _spoilt(name: str, row: int, column: str, text: str) -> Kind:
    data = text_of(_cell(row, column, text))
    return Kind(name=name, data=data, rows=ALL - {row}, aside={row + 2: (column, text)}, says=column)


def values() -> Iterator[Kind]:
    for at, (name, text) in enumerate(NO_NUMBER.items()):
        for column in ("age", "balance", INTEGERS[2 + at % 5]):
            yield _spoilt(f"{column}: {name}", at % len(ROWS), column, text)
    for at, (name, spoil) in enumerate(NO_WORD.items()):
        for column in WORDS:
            row = at % len(ROWS)
            word = ROWS[row][NAMES.index(column)]
            if spoil(word) != word:
                yield _spoilt(f"{column}: {name}", row, column, spoil(word))
    for column, texts in NUMBERS_OFF.items():
        for at, text in enumerate(texts):
            yield _spoilt(f"{column}: {text}, out of bounds", at, column, text)
    for name, text in {"a plus": "+{}", "zeros before": "00{}", "quotes": '"{}"'}.items():
        for column in ("age", "balance"):
            data = text_of(_cell(2, column, text.format(ROWS[2][NAMES.index(column)])))
            yield Kind(name=f"{column}: {name}, the same number", data=data)


# --- a row ----------------------------------------------------------------------------------------------------


def rows() -> Iterator[Kind]:
    def line(name: str, row: int, text: str, says: str = "") -> Kind:
        lines = [*LINES[: row + 1], text, *LINES[row + 2 :]]
        return Kind(
            name=f"row {row}: {name}", data=text_of(lines), rows=ALL - {row}, aside={row + 2: ("?", "?")}, says=says
        )  # fmt: skip

    for row in (0, 3, 6):
        cells, whole = list(ROWS[row]), LINES[row + 1]
        for fewer in (1, 2, 8, 15, 16):
            yield line(f"{fewer} values", row, PLAIN.line(cells[:fewer]), "expected 17 values|breaks off")
        for more in (1, 2, 17):
            yield line(f"{more} values too many", row, PLAIN.line([*cells, *["x"] * more]), WIDTH)
        yield line("a delimiter behind", row, whole + ";", WIDTH)
        yield line("a delimiter before", row, ";" + whole, WIDTH)
        for at in (1, 5, 12):
            yield line(f"shifted left from {at}", row, PLAIN.line([*cells[:at], *cells[at + 1 :], ""]))
            yield line(f"shifted right from {at}", row, PLAIN.line([*cells[:at], "", *cells[at:-1]]))
            glued = PLAIN.line([*cells[: at - 1], cells[at - 1] + cells[at], *cells[at + 1 :]])
            yield line(f"a delimiter lost at {at}", row, glued, WIDTH)
            quoted = PLAIN.line([*cells[:at], f'"{cells[at]}', *cells[at + 1 :]])
            yield line(f"a quote that opens at {at}", row, quoted, "quote")
            quoted = PLAIN.line([*cells[:at], f'{cells[at]}"', *cells[at + 1 :]])
            yield line(f"a quote that closes at {at}", row, quoted, "quote")
            inside = PLAIN.line([*cells[:at], f'{cells[at][:1]}"{cells[at][1:]}', *cells[at + 1 :]])
            yield line(f"a quote inside at {at}", row, inside, "quote")
            escaped = PLAIN.line([*cells[:at], f'"{cells[at]}\\""', *cells[at + 1 :]])
            yield line(f"a backslash and a quote at {at}", row, escaped, "quote")
            text = PLAIN.line([*cells[:at], f'"{cells[at]};x"', *cells[at + 1 :]])
            yield line(f"the delimiter in quotes at {at}", row, text)
        yield line("all in one cell", row, f'"{whole}"', WIDTH)
        yield line("with commas", row, whole.replace(";", ","), WIDTH)
        yield line("with blanks", row, whole.replace(";", " "), WIDTH)
        yield line("with tabs", row, whole.replace(";", "\t"), WIDTH)
        yield line("in capitals", row, whole.upper())
        yield line("a comment", row, "#" + whole)
        yield line("with its number", row, f"{row + 1}: {whole}")
        yield line("with a prompt", row, f"> {whole}")
        yield line("indented", row, "    " + whole)
        yield line("from right to left", row, whole[::-1])
        yield line("columns turned", row, PLAIN.line(cells[::-1]))
        yield line("empty values", row, ";" * 16)
        yield line("a NUL inside", row, whole[:9] + "\0" + whole[9:], "NUL")
        yield line("a CR inside", row, whole[:9] + "\r" + whole[9:], "CR|expected")
        yield line("a mark before it", row, "\ufeff" + whole)
        yield line("longer than any row", row, whole + "x" * 70_000, "longer")
        latin = text_of([*LINES[: row + 1], "\xe9" + whole, *LINES[row + 2 :]]).replace(
            "\xe9".encode(), b"\xe9"
        )
        yield Kind(
            name=f"row {row}: Latin-1", data=latin, rows=ALL - {row}, aside={row + 2: ("?", "?")}, says="not UTF-8"
        )  # fmt: skip


def line_ends() -> Iterator[Kind]:
    """Where one row meets the next."""
    for row in (0, 3, 6):
        cells, whole = list(ROWS[row]), LINES[row + 1]
        for at in (3, 9):  # the line ends inside a value, quoted or not, and the record takes two
            first, second = (
                PLAIN.line([*cells[:at], cells[at][:1]]),
                PLAIN.line([cells[at][1:], *cells[at + 1 :]]),
            )
            lines = [*LINES[: row + 1], first, second, *LINES[row + 2 :]]
            aside = {row + 2: ("?", "?"), row + 3: ("?", "?")}
            yield Kind(name=f"row {row}: broken at {at}", data=text_of(lines), rows=ALL - {row}, aside=aside)
            first, second = (
                PLAIN.line([*cells[:at], '"' + cells[at][:1]]),
                PLAIN.line([cells[at][1:] + '"', *cells[at + 1 :]]),
            )
            lines = [*LINES[: row + 1], first, second, *LINES[row + 2 :]]
            yield Kind(
                name=f"row {row}: a line end in quotes at {at}",
                data=text_of(lines),
                rows=ALL - {row},
                aside=aside,
            )
        if row < 6:
            both = [*LINES[: row + 1], whole + LINES[row + 2], *LINES[row + 3 :]]
            yield Kind(
                name=f"row {row}: its line end lost", data=text_of(both), rows=ALL - {row, row + 1},
                aside={row + 2: ("?", "?")}, says=WIDTH,
            )  # fmt: skip
        empty = [*LINES[: row + 1], "", *LINES[row + 1 :]]
        yield Kind(name=f"row {row}: an empty line above", data=text_of(empty))
        all_quoted = [*LINES[: row + 1], replace(PLAIN, quote=('"', '"')).line(cells), *LINES[row + 2 :]]
        yield Kind(name=f"row {row}: in quotes, no other", data=text_of(all_quoted))
    mixed = "".join(line + end for line, end in zip(LINES, itertools.cycle(["\n", "\r\n"]), strict=False))
    yield Kind(name="LF and CRLF by turns", data=mixed.encode())
    padded = [LINES[0], *(PLAIN.line([cell + " " for cell in row]) for row in ROWS)]
    yield Kind(name="blanks behind all values", data=text_of(padded), rows=NONE, refused=True)
    trailing = [LINES[0], *(line + ";" for line in LINES[1:])]
    yield Kind(
        name="a delimiter behind all rows", data=text_of(trailing), rows=NONE, refused=True, says=WIDTH
    )


# --- where it was cut -----------------------------------------------------------------------------------------


def cuts() -> Iterator[Kind]:
    """At each byte of the last row and of the header. The last value is a word: a number cut short is one as well."""
    data = text_of(LINES)
    last = len(data) - len(LINES[-1]) - 1
    for at in range(last + 1, len(data) - 1):
        aside = {8: ("?", "?")}
        yield Kind(
            name=f"cut at byte {at}",
            data=data[:at],
            rows=ALL - {6},
            aside=aside,
            says="breaks off|y|is not one of",
        )
    for at in range(1, len(LINES[0])):
        yield Kind(name=f"cut at byte {at}", data=data[:at], rows=NONE, refused=True)
    for name, tail in {"NULs": b"\0" * 500, "0xFF": b"\xff" * 100, "noise": bytes(range(128, 200))}.items():
        yield Kind(name=f"{name} behind it", data=data + tail, aside={9: ("?", "?")})
        half = data[: last + 20] + tail
        yield Kind(name=f"{name} in place of its end", data=half, rows=ALL - {6}, aside={8: ("?", "?")})


FAMILIES: dict[str, Callable[[], Iterator[Kind]]] = {
    "ways to write": one_thing_otherwise,
    "other formats": other_formats,
    "surroundings": surroundings,
    "headers": headers,
    "values": values,
    "rows": rows,
    "line ends": line_ends,
    "cuts": cuts,
}
