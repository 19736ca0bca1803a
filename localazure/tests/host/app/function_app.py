"""The app under test: what it does, it writes down in the file NOTES, one JSON line each."""

import json
import os
import time
from functools import lru_cache
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()


def note(what: str, **more: object) -> None:
    with Path(os.environ["NOTES"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"what": what, **more}) + "\n")


def wait_for_gate() -> None:
    """Until the test makes the file GATE; a test that never does has failed long before."""
    deadline = time.monotonic() + 30
    while not Path(os.environ["GATE"]).exists() and time.monotonic() < deadline:
        time.sleep(0.01)


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-work", connection="DATA")
def on_work(msg: func.QueueMessage) -> None:
    text = msg.get_body().decode()
    note("work", text=text, dequeue_count=msg.dequeue_count, inserted=str(msg.insertion_time))
    if text == "bad":
        raise ValueError("this one never works")
    if text == "slow":
        wait_for_gate()
        note("work done", text=text)


@app.queue_trigger(arg_name="msg", queue_name="%PREFIX%-raw", connection="DATA")
async def on_raw(msg: func.QueueMessage) -> None:
    note("raw", hex=msg.get_body().hex())


@app.timer_trigger(arg_name="timer", schedule="%TICK%")
def on_tick(timer: func.TimerRequest) -> None:
    note("tick", past_due=timer.past_due, status=timer.schedule_status)


@app.route(route="open/{name:alpha?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def a_open(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    told = {
        "url": req.url, "name": req.route_params.get("name"), "params": dict(req.params),
        "headers": dict(req.headers), "function": context.function_name, "id": context.invocation_id,
    }  # fmt: skip
    return func.HttpResponse(json.dumps(told), mimetype="application/json")


@app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
def b_keyed(req: func.HttpRequest) -> str:
    return "in"


@app.route(route="master", auth_level=func.AuthLevel.ADMIN)
def c_master(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)


@app.route(route="off", auth_level=func.AuthLevel.ANONYMOUS)
def d_off(req: func.HttpRequest) -> str:
    return "on after all"


@app.route(route="fails", auth_level=func.AuthLevel.ANONYMOUS)
def e_fails(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError(f"called with {req.url}")


@app.route(route="slow", auth_level=func.AuthLevel.ANONYMOUS)
def f_slow(req: func.HttpRequest) -> func.HttpResponse:
    note("slow request")
    wait_for_gate()
    return func.HttpResponse("finished")


@app.route(route="send", auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="out", queue_name="%PREFIX%-work", connection="DATA")
def g_send(req: func.HttpRequest, out: func.Out[str]) -> func.HttpResponse:
    out.set(req.get_body().decode())
    return func.HttpResponse(status_code=202)


@app.route(route="{*path}", auth_level=func.AuthLevel.ANONYMOUS)
async def z_asgi(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return await _fastapi().handle_async(req, context)


@lru_cache(maxsize=1)
def _fastapi() -> func.AsgiMiddleware:
    from fastapi import FastAPI, Request, Response

    api = FastAPI()

    @api.put("/api/echo/{name}")
    async def echo(name: str, request: Request) -> Response:
        headers = {"x-name": name, "x-query": request.url.query}
        kind = request.headers["content-type"]
        reply = Response(await request.body(), status_code=201, media_type=kind, headers=headers)
        reply.set_cookie("first", "1")
        reply.set_cookie("second", "2")
        return reply

    return func.AsgiMiddleware(api)
