"""Campanha on Azure Functions: the blueprints, in the order of the flow. What happens when: `shared/flow.py`."""

import azure.functions as func

from functions.api import api
from functions.clock import clock
from functions.runs import runs
from functions.shards import shards
from functions.steps import steps
from functions.uploads import uploads

app = func.FunctionApp()

app.register_functions(uploads)
app.register_functions(steps)
app.register_functions(runs)
app.register_functions(shards)
app.register_functions(clock)
app.register_functions(api)
