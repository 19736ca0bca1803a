"""Whose ledger: of a deployment in Azure, by its address and by signing in, or of the running embedded Azure."""

from __future__ import annotations

import os
from pathlib import Path

from commands.recovery.tables import Tables
from commands.stack.arguments import running
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
