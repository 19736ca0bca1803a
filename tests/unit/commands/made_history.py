"""A history of calls that nobody made: months of clients whose answers follow from their ages, more or less."""

from __future__ import annotations

import random
from collections.abc import Sequence

from commands.backtest.history import Called, contract, months

HEADER = (
    "age;job;marital;education;default;housing;loan;contact;month;day_of_week;duration;campaign;pdays;previous;"
    "poutcome;emp.var.rate;cons.price.idx;cons.conf.idx;euribor3m;nr.employed;y"
)
NAMES = ("may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mar", "apr")


def row(month: str, chance: random.Random) -> str:
    age = chance.randint(18, 90)
    answer = "yes" if chance.random() < age / 100 else "no"
    job = chance.choice(("admin.", "student", "retired", "unknown"))
    duration = chance.randint(5, 900)
    return (
        f"{age};{job};married;high.school;no;yes;no;cellular;{month};mon;{duration};1;999;0;nonexistent;"
        f"1.1;93.994;-36.4;{4 + chance.random():.3f};5191;{answer}"
    )


def made(sizes: Sequence[int] = (60, 50, 7, 40, 55), seed: int = 1) -> bytes:
    """CSV, a month for each size."""
    chance = random.Random(seed)
    rows = [row(NAMES[at % len(NAMES)], chance) for at, size in enumerate(sizes) for _ in range(size)]
    return "\r\n".join([HEADER, *rows, ""]).encode()


def made_months(sizes: Sequence[int] = (60, 50, 7, 40, 55), seed: int = 1) -> list[Called]:
    return months(made(sizes, seed), contract())
