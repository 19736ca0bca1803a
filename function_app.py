"""Campanha on Azure Functions: the blueprints, in the order of the flow. What happens when: `shared/flow.py`."""

import os

import azure.functions as func

from functions.api import api
from functions.clock import clock
from functions.runs import runs
from functions.shards import shards
from functions.steps import steps
from functions.uploads import uploads

app = func.FunctionApp()

SERVES = {"work": (uploads, steps, runs, shards, clock), "api": (api,)}
"""What each of the two apps in Azure has, by the setting SERVES; one alone has all."""

for part in [SERVES[serves]] if (serves := os.environ.get("SERVES") or "all") != "all" else SERVES.values():
    for functions in part:
        app.register_functions(functions)
