"""Rows in doubt: what a person can do about a drop whose rows training found implausible and left out."""

from __future__ import annotations


def remedy(dataset: str, version: int) -> str:
    """Both ways out. version: the dataset version that the rows came in with"""
    return (
        f"if they are right, say so: ./dev datasets {dataset}:{version} --trust --reason WHY; if they are not, take their"
        " upload out: ./dev uploads NAME --withdraw --reason WHY"
    )
