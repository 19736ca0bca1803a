"""Whose ledger: of a deployment in Azure, by its address and by signing in, or of the embedded Azure."""

from __future__ import annotations

import os
from pathlib import Path

from commands.recovery.tables import Tables
from commands.stack import supervisor
from commands.stack.arguments import running
from commands.stack.errors import StackError
from commands.stack.parts import PARTS
from commands.stack.state import Stack
from shared.resources.storage import LEDGER

ADDRESS = "CAMPANHA_STORAGE__tableServiceUri"


def tables(state: Path) -> Tables:
    """raises: StackError where neither is there"""
    from azure.data.tables import TableServiceClient

    if address := os.environ.get(ADDRESS):
        from shared.adapters.sign_in import credential

        named = os.environ.get("LEDGER_TABLE") or LEDGER
        return Tables(TableServiceClient(address, credential=credential()), named)
    stack = running(state, "storage")
    named = stack.chosen_settings.get("LEDGER_TABLE") or LEDGER
    return Tables(TableServiceClient.from_connection_string(stack.connection_string), named)


def tables_to_fill(state: Path) -> Tables:
    """The same, where no app of the embedded Azure fills them meanwhile: its storage is started alone.

    raises: StackError where one runs
    """
    if not os.environ.get(ADDRESS):
        stack = Stack(state)
        if any(stack.process(name) for name, part in PARTS.items() if part.app):
            raise StackError(
                f"the app runs in {stack.state}: `./dev down` first; restore starts the storage alone."
            )
        with stack.alone():
            stack.prepare()
        supervisor.up_storage(stack)
    return tables(state)
