"""A good file spoilt in every way of the Pollock benchmark, one way at a time, at every row and column.

After G. Vitagliano, M. Hameed, L. Jiang, L. Reisener, E. Wu, F. Naumann, *Pollock: A Data Loading Benchmark*, PVLDB 16(8)
(2023), whose source file has 84 rows of 9 columns; here it is a file of a contract, plainly written and with all values in
quotes. Names are theirs. What each file should come to is written down here by hand, and uses nothing of the reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Polluted:
    """A spoilt file, and what may become of it."""

    name: str
    data: bytes
    intact: frozenset[int]
    """Rows of the table, by their place, that nothing was done to: they are to be admitted, where any row is."""
    says: str
    """What is said of the rows that are put aside, or of the file where all of it is: a pattern."""
    whole: bool = False
    """Whether all of the file is to be put aside."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How the good file is written."""

    quoted: bool
    delimiter: str = ";"

    def cell(self, text: str) -> str:
        return f'"{text}"' if self.quoted else text

    def line(self, cells: Sequence[str]) -> str:
        return self.delimiter.join(map(self.cell, cells))


STYLES = {"plain": Style(quoted=False), "quoted": Style(quoted=True)}
WIDTH = r"expected \d+ values, found \d+"
QUOTE = r"a quote \(\"\) (is opened and not closed|stands inside a (quoted value|value without quotes))"
FITS_NO_CONTRACT = "the header fits no contract"


class Pollution:
    """All spoilt forms of one table."""

    def __init__(self, names: Row, rows: Sequence[Row], style: Style) -> None:
        self._names, self._rows, self._style = names, rows, style
        self._lines = [style.line(cells) for cells in (names, *rows)]
        self._all = frozenset(range(len(rows)))

    def everything(self) -> Iterator[Polluted]:
        yield from self.files()
        yield from self.tables()
        yield from self.dialects()
        yield from self.encodings()
        for row in range(len(self._lines)):
            yield from self.rows(row)

    # --- the file and its tables --------------------------------------------------------------------------

    def files(self) -> Iterator[Polluted]:
        lines, header = self._lines, self._lines[0]
        yield self._file("source", lines)
        yield Polluted(
            name="file_no_payload", data=b"", intact=frozenset(), says="the file is empty", whole=True
        )
        yield Polluted(
            name="file_no_trailing_newline", data="\n".join(lines).encode(), intact=self._all, says=""
        )
        yield self._file("file_double_trailing_newline", [*lines, ""])
        yield self._file("file_no_header", lines[1:], says=FITS_NO_CONTRACT, whole=True)
        yield self._file("file_header_only", lines[:1], says="no rows", whole=True)
        yield self._file("file_one_data_row", lines[:2], intact=frozenset({0}))
        for more in (2, 3):
            yield self._file(
                f"file_header_multirow_{more}", [*[header] * (more - 1), *lines], says="the header again"
            )
        title = self._style.cell("PREAMBLE")
        wide = self._style.line(["PREAMBLE", *[""] * (len(self._names) - 1)])
        for what, above in {"": [title, ""], "_no_empty_row": [title] * 3, "_delimited": [wide] * 3}.items():
            yield self._file(
                f"file_preamble{what}",
                [*above, *lines],
                says=r"(line 1 is|lines 1 to \d are) no header",
                whole=True,
            )
        for what, below in {"": ["", title], "_delimited": [wide] * 2, "_no_empty_row": [title]}.items():
            says = {
                "": "another table, or a note",
                "_delimited": "no value fits its column",
                "_no_empty_row": WIDTH,
            }
            yield self._file(f"file_footnote{what}", [*lines, *below], says=says[what])

    def tables(self) -> Iterator[Polluted]:
        """A second table below an empty line, or at once; its columns are others."""
        for what, width in (("less", 5), ("more", 20), ("same", len(self._names))):
            table = [
                self._style.line([f"{part}{at}" for at in range(width)]) for part in ("col", "val", "wal")
            ]
            yield self._file(f"file_multitable_{what}", [*self._lines, "", *table], says="another table")
            says = "another table" if what == "same" else WIDTH
            yield self._file(f"file_multitable_{what}_at_once", [*self._lines, *table], says=says)
        half = len(self._lines) // 2
        two = [*self._lines[:half], "", self._lines[0], *self._lines[half:]]
        yield self._file("file_multitable_same_header", two, says="the header again")

    # --- how it is written --------------------------------------------------------------------------------

    def dialects(self) -> Iterator[Polluted]:
        for name, sign in {"0x2C": ",", "0x3B": ";", "0x9": "\t", "0x7C": "|"}.items():
            yield self._file(f"file_field_delimiter_{name}", self._written(sign))
        for name, sign in {
            "0x20": " ",
            "0x3A": ":",
            "0x2C_0x20": ", ",
            "0x9_0x9": "\t\t",
            "0x5C_0x74": "\\t",
        }.items():
            spaced = sign == ", " and not self._style.quoted  # the blank is around the value then
            says = FITS_NO_CONTRACT + "|out of place"
            says = "write 'no'" if spaced else says
            yield self._file(f"file_field_delimiter_{name}", self._written(sign), says=says, whole=True)
        single = [
            self._style.delimiter.join(f"'{cell}'" for cell in cells) for cells in (self._names, *self._rows)
        ]
        yield self._file("file_quotation_char_0x27", single, says=FITS_NO_CONTRACT, whole=True)
        for name, end in {"0xA": "\n", "0xD": "\r", "0xD_0xA": "\r\n", "0xD_0xD_0xA": "\r\r\n"}.items():
            data = "".join(line + end for line in self._lines).encode()
            yield Polluted(name=f"file_record_delimiter_{name}", data=data, intact=self._all, says="")
        for name, escape in {"0x5C": "\\", "0x00": ""}.items():
            cells = list(self._rows[0])
            cells[1] = f'{cells[1]}{escape}"x{escape}"'
            spoilt = [self._lines[0], self._style.line(cells), *self._lines[2:]]
            yield self._file(f"file_escape_char_{name}", spoilt, says=QUOTE, intact=self._all - {0})

    def encodings(self) -> Iterator[Polluted]:
        text = "\n".join([*self._lines, ""])
        for name in ("utf-8", "utf-8-sig", "latin-1", "ascii"):  # the same bytes, but for a mark
            yield Polluted(name=f"file_encoding_{name}", data=text.encode(name), intact=self._all, says="")
        for name in ("utf-16", "utf-16-le", "utf-32"):
            says = "UTF-16|NUL bytes"
            yield Polluted(
                name=f"file_encoding_{name}",
                data=text.encode(name),
                intact=frozenset(),
                says=says,
                whole=True,
            )

    def _written(self, delimiter: str) -> list[str]:
        style = Style(quoted=self._style.quoted, delimiter=delimiter)
        return [style.line(cells) for cells in (self._names, *self._rows)]

    # --- a row --------------------------------------------------------------------------------------------

    def rows(self, row: int) -> Iterator[Polluted]:
        """row: 0 is the header"""
        cells = [self._style.cell(text) for text in (self._names, *self._rows)[row]]
        sign = self._style.delimiter
        for col in range(len(cells)):
            left, right = cells[:col], cells[col:]
            if col:
                less = sign.join([*left[:-1], left[-1] + right[0], *right[1:]])
                yield self._row(f"row_less_sep_row{row}_col{col}", row, less, says=f"{WIDTH}|{QUOTE}")
            yield self._row(
                f"row_more_sep_row{row}_col{col}", row, sign.join([*left, "", *right]), says=WIDTH
            )
            quote = f'""{right[0][1:]}' if self._style.quoted else f'"{right[0]}'
            extra = sign.join([*left, quote, *right[1:]])
            yield self._row(f"row_extra_quote{row}_col{col}", row, extra, says=QUOTE)
            inside = f'{right[0][:2]}"{right[0][2:]}'
            yield self._row(
                f"row_quote_inside{row}_col{col}", row, sign.join([*left, inside, *right[1:]]), says=QUOTE
            )
        for name, other in {"0x20": " ", "0x2C": ","}.items():
            says = f"{WIDTH}|{QUOTE}"
            yield self._row(f"row_field_delimiter_{row}_{name}", row, other.join(cells), says=says)
        single = sign.join(f"'{cell}'" for cell in (self._names, *self._rows)[row])
        yield self._row(f"row_quotation_mark_{row}_0x27", row, single, says="another header|is no|is none")
        for fewer in (0, 5):
            part = sign.join(cells[:fewer])
            yield self._row(f"row_n_fields_{row}_{fewer}", row, part, says=WIDTH if fewer else "")
        more = sign.join([*cells, cells[-1]])
        yield self._row(f"row_n_fields_{row}_more", row, more, says=WIDTH)

    def _row(self, name: str, row: int, line: str, *, says: str) -> Polluted:
        lines = [*self._lines[:row], line, *self._lines[row + 1 :]]
        if row == 0:
            return self._file(
                name, lines, says=f"{FITS_NO_CONTRACT}|no header|out of place|and the rows by", whole=True
            )
        return self._file(name, lines, says=says, intact=self._all - {row - 1})

    def _file(
        self,
        name: str,
        lines: Sequence[str],
        *,
        says: str = "",
        whole: bool = False,
        intact: frozenset[int] | None = None,
    ) -> Polluted:
        kept = frozenset() if whole else self._all if intact is None else intact
        return Polluted(
            name=name,
            data="".join(f"{line}\n" for line in lines).encode(),
            intact=kept,
            says=says,
            whole=whole,
        )
