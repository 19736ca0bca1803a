"""Files of other banks' kind, each written in its own way: rows drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

ROWS = 600


def churn(chance: random.Random) -> str:
    """Semicolons, decimal commas, blanks, whole numbers, gaps, names of people, codes with zeros, and a leak."""
    lines = ["customer_id;full_name;e-mail;branch;balance;opened;segment;income;risk score;churned"]
    for row in range(ROWS):
        left = chance.random() < 0.2
        income = "" if row % 50 == 0 else f"{chance.randint(900, 9000)}.0"
        risk = f"{(0.9 if left else 0.1) + chance.gauss(0, 0.1):.3f}".replace(".", ",")
        balance = f"{chance.gauss(1000, 400):.2f}".replace(".", ",")
        opened = f"20{chance.randint(10, 25)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}"
        lines.append(
            f"{1000 + row};Rita {row} Sá;c{row}@example.pt;0{chance.randint(10, 40)};{balance};{opened};"
            f"{chance.choice(['retail', 'private ', 'corporate'])};{income};{risk};{int(left)}"
        )
    return "\n".join(lines) + "\n"


def credit(chance: random.Random) -> str:
    """Commas, quoted words, an answer of two words in the middle, and a column that is always the same."""
    lines = ["purpose,amount,months,currency,default,age"]
    for _ in range(ROWS):
        months = chance.choice([12, 24, 36, 48])
        bad = chance.random() < 0.1 + months / 200
        purpose = chance.choice(['"car, used"', "radio", "education"])
        lines.append(
            f"{purpose},{chance.randint(500, 20000)},{months},EUR,{'bad' if bad else 'good'},{chance.randint(19, 75)}"
        )
    return "\n".join(lines) + "\n"


def leads(chance: random.Random) -> str:
    """Tabs, telephone numbers, free text, and an answer in the last column."""
    lines = ["channel\tcontact\tremark\tsavings\tvisits\tconverted"]
    for row in range(ROWS):
        visits = chance.randint(0, 30)
        bought = chance.random() < 0.05 + visits / 60
        lines.append(
            f"{chance.choice(['web', 'branch', 'app'])}\t+351 91{chance.randint(1000000, 9999999)}\t"
            f"said {row} things\t{chance.randint(0, 90000)}\t{visits}\t{'yes' if bought else 'no'}"
        )
    return "\n".join(lines) + "\n"


def cards(chance: random.Random) -> str:
    """Bars, negative amounts, CRLF, a numbered first column without a name."""
    lines = ["|limit|spent|late|responded"]
    for row in range(ROWS):
        late = chance.randint(0, 4)
        answer = int(chance.random() < 0.1 + late / 10)
        limit, spent = chance.randint(5, 90) * 100, chance.gauss(-200, 300)
        lines.append(f"{row}|{limit}|{spent:.2f}|{late}|{answer}")
    return "\r\n".join(lines) + "\r\n"


def insurance(chance: random.Random) -> str:
    """IBANs, years, and an answer in letters."""
    lines = ["account,built,region,claims,renewed"]
    for _ in range(ROWS):
        claims = chance.randint(0, 6)
        stays = chance.random() > 0.1 + claims / 10
        lines.append(
            f"PT50{chance.randint(10**17, 10**18 - 1)},{chance.randint(1950, 2024)},{chance.choice('NSEW')},{claims},"
            f"{'Y' if stays else 'N'}"
        )
    return "\n".join(lines) + "\n"


STRANGERS: dict[str, Callable[[random.Random], str]] = {
    made.__name__: made for made in (churn, credit, leads, cards, insurance)
}


def text_of(name: str) -> str:
    return STRANGERS[name](random.Random(20080501))
