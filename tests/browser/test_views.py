"""Every view shows what the API told, and says what to do where there is nothing."""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import Any
from urllib.parse import quote

import pytest
from browser import bank
from browser.conftest import Open
from playwright.sync_api import expect

TRACE = hashlib.sha256(b"bank-v1-a1").hexdigest()[:32]

VIEWS: dict[str, list[str]] = {
    "#/": [
        "Model 7 answers for bank-additional.", "Version 8 is being trained", "6 things need a person",
        "Training on bank-additional, version 8", "Scoring: to-call-november.csv", "about 55 s left", "leads-from-crm.csv",
    ],
    "#/flow": ["Admit upload", "Judge run", "1,204", "3 open", "Retrain due", "Release rolled back"],
    "#/trace": ["The newest files", "calls-2026-w46.csv"],
    "#/files": ["calls-2026-w45 (copy).csv", "duplicate", "24,700", "bank-additional:7"],
    "#/datasets": ["bank-additional:8", "28,940", "training"],
    "#/datasets/bank-additional/8": ["28,940", "branch-porto-extra.csv", "bank-additional-v8-a1"],
    "#/quarantine": ["leads-from-crm.csv", "none of the 2,408 rows fits the contract"],
    "#/quarantine/leads-from-crm.csv": ["age: not an integer", "2,391", "41 years", "write digits only, such as 42"],
    "#/runs": ["Training on bank-additional, version 8", "bank-v1-a1", "failed"],
    "#/runs/bank-v1-a1": ["prepare failed: the compute ran out of disk", "Mend what the reason names", TRACE],
    "#/models": ["Quality over time", "Data drift", "euribor3m", "−0.0116", "rolled back", "refused"],
    "#/models/bank-additional/6": ["below the 0.90 asked for", "Better with probability", "38.0 %", "0.2941"],
    "#/models/bank-additional/6/card": [
        "model card", "below the 0.90 asked for", "calls-2026-w45.csv", "education university.degree",
        "euribor3m", "17 to 120", "boosted-plain", "60 to 1", "ab12ab12",
    ],
    "#/batches": ["to-call-november.csv", "63 %", "model 7", "Rejected", "lacks the columns euribor3m"],
    "#/endpoint": ["campanha-bank-additional", "model-7 100 %", "8.4 ms", "20 ms", "4,211", "standby"],
    "#/events": ["is held in quarantine", "is in service", "was dead-lettered"],
    "#/alerts": ["An expected file has not come", "./dev failures --retry-all", "Who is told", "on-call"],
    "#/alerts/file-late-1f0c2a9b7d31": ["expected by 08:00 (Europe/Lisbon)", "./dev drop FILE", "now"],
    "#/nowhere": ["There is no view of this name"],
}  # fmt: skip

PAGES = {
    "uploads": lambda it: f"#/trace/incoming/{it['name']}",
    "quarantine": lambda it: f"#/quarantine/{it['name']}",
    "datasets": lambda it: f"#/datasets/{it['dataset']}/{it['version']}",
    "runs": lambda it: f"#/runs/{it['id']}",
    "models": lambda it: f"#/models/{it['dataset']}/{it['version']}",
    "batches": lambda it: f"#/batches/{it['id']}",
    "alerts": lambda it: f"#/alerts/{it['id']}",
}
"""The page of each record."""
BROKEN = re.compile(r"\bundefined\b|\bNaN\b|\[object |Invalid Date")
"""What a value that is missing, or of another shape, looks like in text and attributes."""

NEXT = {
    "#/files": "./dev drop FILE",
    "#/quarantine": "Quarantine is empty",
    "#/runs": "./dev publish",
    "#/models": "No model yet",
    "#/batches": "./dev drop --scoring FILE",
    "#/endpoint": "No model is deployed yet",
    "#/alerts": "No alert yet",
    "#/events": "Nothing has happened yet",
    "#/api": "No model answers yet",
}
"""What each view says while there is nothing."""


@pytest.mark.parametrize("address", VIEWS)
def test_a_view_shows_its_data(open_page: Open, address: str) -> None:
    page = open_page().go(address)
    for text in VIEWS[address]:
        expect(page.locator("main")).to_contain_text(text)
    assert page.locator("main h1").count() == 1


def test_no_page_shows_what_is_not_there(open_page: Open, app: Any) -> None:
    opened = open_page(key="an-admin")
    pages = [page(record) for kind, page in PAGES.items() for record in app.collections[kind]]
    scoring = [f"#/trace/scoring/{batch['name']}" for batch in app.collections["batches"]]
    found = {}
    cards = [f"{PAGES['models'](model)}/card" for model in app.collections["models"]]
    for address in [*VIEWS, "#/api", "#/audit", *pages, *cards, *scoring]:
        shown = opened.go(quote(address, safe="#/")).inner_html("body")
        assert 'role="alert"' not in shown, address
        found[address] = BROKEN.findall(shown)
    assert {address: words for address, words in found.items() if words} == {}


def test_models_are_listed_newest_first(open_page: Open) -> None:
    names = (
        open_page().go("#/models").get_by_role("table", name="Models").get_by_role("link").all_inner_texts()
    )
    assert names == [f"bank-additional:{version}" for version in range(len(bank.MODELS), 0, -1)]


def test_a_datasets_models_are_found_behind_those_of_another(open_page: Open, app: Any) -> None:
    newest = app.collections["models"][0]
    others = [
        {**newest, "dataset": "bank", "version": n, "id": f"bank:{n}", "state": "refused"}
        for n in range(250, 0, -1)
    ]
    app.change(lambda it: it.collections["models"].__setitem__(slice(0, 0), others))
    opened = open_page()
    page = opened.go("#/models")
    listed = page.get_by_role("table", name="Models")
    expect(listed).to_contain_text("bank-additional:7")
    expect(listed).not_to_contain_text("bank:250")
    page.get_by_role("navigation", name="Which dataset").get_by_role("link", name="bank", exact=True).click()
    expect(listed).to_contain_text("bank:250")
    page.get_by_role("link", name="Older").click()
    expect(listed).to_contain_text("bank:50")
    expect(listed).not_to_contain_text("bank:51")


def test_what_answers_is_found_behind_newer_deployments(open_page: Open, app: Any) -> None:
    serving = next(one for one in app.collections["deployments"] if one["state"] == "serving")
    newer = [
        {**serving, "deployment": f"model-{n}", "id": f"{serving['endpoint']}/model-{n}", "version": n,
         "state": "removed", "trafficPercent": 0, "dataset": dataset}
        for n in range(160, 100, -1) for dataset in ("bank", bank.DATASET)
    ]  # fmt: skip
    app.change(lambda it: it.collections["deployments"].__setitem__(slice(0, 0), newer))
    main = open_page().go("#/endpoint").locator("main")
    expect(main.get_by_role("img", name="model-7 100 % of the traffic")).to_be_visible()
    expect(main).to_contain_text("model-160")
    expect(main.get_by_role("link", name="Older")).to_be_visible()


def test_a_model_card_names_the_files_it_learned_from(open_page: Open) -> None:
    page = open_page().go("#/models/bank-additional/6/card")
    files = page.get_by_role("region", name="The files it learned from").locator("td:first-child")
    assert files.all_inner_texts() == ["calls-2026-w45.csv", "calls-2026-w42.csv"]


def test_a_run_that_scores_says_for_which_batch_and_with_which_model(open_page: Open, app: Any) -> None:
    run = next(record for record in app.collections["runs"] if "batch" in record)
    main = open_page().go(f"#/runs/{run['id']}").locator("main")
    expect(main.get_by_role("link", name=run["batch"])).to_be_visible()
    expect(main.get_by_role("link", name="bank-additional:2")).to_have_attribute(
        "href", "#/models/bank-additional/2"
    )
    expect(main).not_to_contain_text("Dataset version")


@pytest.mark.parametrize("state", ["failed", "refused"])
def test_what_to_do_about_a_training_run_is_not_said_of_one_that_scores(
    open_page: Open, app: Any, state: str
) -> None:
    scoring = next(record for record in app.collections["runs"] if "batch" in record)
    training = app.record("runs", "bank-v1-a1")
    for run in (scoring, training):
        run.update(state=state, reason="the compute ran out of disk")
    said = {"failed": "then “Retrain bank”, on the page Files", "refused": "on the model's page"}[state]
    opened = open_page()
    expect(opened.go("#/runs/bank-v1-a1").locator("main")).to_contain_text(said)
    main = opened.go(f"#/runs/{scoring['id']}").locator("main")
    expect(main).to_contain_text("the compute ran out of disk")
    expect(main.locator(".hint")).to_have_count(0)


def test_who_asked_for_what_is_shown_to_an_admin_alone(open_page: Open, app: Any) -> None:
    page = open_page(key="an-admin").go("#/audit")
    for text in ("roll back bank-additional", "calls per sale doubled", "session:admin:07aa", "as operator"):
        expect(page.locator("main")).to_contain_text(text)
    expect(page.get_by_role("link", name="Audit")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("does not follow")
    other = open_page().go("#/audit")
    expect(other.get_by_role("link", name="Audit")).to_be_hidden()
    expect(other.get_by_role("alert")).to_contain_text("It takes a key that may do more")


def test_an_entry_that_is_missing_shows(open_page: Open, app: Any) -> None:
    del app.collections["audit"][2]
    page = open_page(key="an-admin").go("#/audit")
    expect(page.get_by_role("row").filter(has_text="does not follow")).to_have_count(1)
    expect(page.get_by_role("row").filter(has_text="does not follow")).to_contain_text("pause")


def test_what_is_under_way_is_said_though_much_came_after_it(open_page: Open, app: Any) -> None:
    """The status lists the newest few of each kind, and counts all."""
    run = next(record for record in app.collections["runs"] if record["state"] == "running")
    batch = next(record for record in app.collections["batches"] if record["state"] == "scored")

    def bury(it: Any) -> None:
        it.collections["runs"][:0] = [{**run, "id": f"newer-{n}", "state": "completed"} for n in range(5)]
        it.collections["batches"][:0] = [{**batch, "id": f"newer-{n}"} for n in range(5)]

    app.change(bury)
    page = open_page().page
    expect(page.locator("h1")).to_contain_text("1 version is being trained and 1 batch is being scored.")
    expect(page.get_by_role("region", name="Under way")).to_contain_text("1 more run or batch under way")
    expect(page.locator("#nav [data-count=runs]")).to_have_text("1 under way")


def test_a_run_is_shown_step_by_step(open_page: Open) -> None:
    opened = open_page()
    page = opened.go("#/runs/bank-additional-v8-a1")
    steps = page.locator(".gantt-row")
    assert steps.count() == 4
    expect(steps.nth(0)).to_contain_text("4.0 s")
    bar = page.locator(".gantt-bar[data-tone='run']")
    before = bar.evaluate("bar => bar.style.getPropertyValue('--from')")
    # The bar of the step that runs grows by the clock, without an answer from the server.
    opened.until(
        f"document.querySelector('.gantt-bar[data-tone=run]').style.getPropertyValue('--from') !== '{before}'"
    )


def test_a_scored_batch_shows_rows_and_spread(open_page: Open, app: Any) -> None:
    batch = next(record for record in app.collections["batches"] if record["name"] == "to-call-w45.csv")
    page = open_page().go(f"#/batches/{batch['id']}")
    expect(page.locator("main")).to_contain_text("scored.parquet")
    assert page.locator(".deciles li").count() == 10
    beside = page.get_by_role("region", name="Expected and realised").locator("tbody tr")
    assert beside.nth(2).locator("td").all_inner_texts() == ["AUC", "0.781", "0.764"]
    assert (
        page.get_by_role("region", name="Outcomes by decile").locator("tbody td").first.inner_text() == "10"
    )
    rows = page.get_by_role("region", name="First rows of the output")
    assert rows.locator("tbody tr").count() == 20
    assert rows.locator("th").all_inner_texts()[:3] == ["probability", "decision", "decile"]
    expect(rows).to_contain_text("'=cmd()")


def test_why_a_file_was_refused_is_two_clicks_from_the_start(open_page: Open) -> None:
    page = open_page().page
    page.get_by_role("link", name="leads-from-crm.csv in quarantine").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("leads-from-crm.csv")
    expect(page.get_by_role("region", name="Faults").locator("tbody tr").first).to_contain_text("41 years")


def test_which_model_scored_a_batch_is_two_clicks_from_the_start(open_page: Open) -> None:
    page = open_page().page
    page.locator("#nav").get_by_text("Batches").click()
    page.get_by_role("table", name="Batches").get_by_role("row").filter(
        has_text="to-call-w43.csv"
    ).get_by_role("link", name="model 4").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("bank-additional:4")


def test_a_file_is_traced_forward_and_a_batch_back(open_page: Open) -> None:
    opened = open_page()
    page = opened.go("#/trace/incoming/calls-2026-w45.csv")
    kinds = page.locator(".chain .kind")
    assert kinds.all_inner_texts() == ["File", "Dataset version", "Run", "Model", "Deployment", "Batches"]
    page.locator(".chain").get_by_role("link", name="to-call-w45.csv").click()
    page.get_by_role("link", name="Back to the files behind it").click()
    opened.until("document.querySelectorAll('.chain .kind').length === 6")
    assert kinds.all_inner_texts() == [
        "File of clients", "Deployment", "Scored by model", "Trained in run", "On dataset version", "Made of file",
    ]  # fmt: skip
    expect(page.locator(".chain")).to_contain_text("calls-2026-w45.csv")


def test_a_hash_finds_its_file(open_page: Open, app: Any) -> None:
    page = open_page().page
    sha256 = app.record("uploads", "calls-2026-w42.csv")["sha256"]
    page.get_by_role("searchbox").fill(sha256)
    page.keyboard.press("Enter")
    expect(page.locator(".chain .what").first).to_have_text("calls-2026-w42.csv")


def test_an_unknown_file_is_said_to_be_unknown(open_page: Open) -> None:
    page = open_page().go("#/trace/nobody.csv")
    expect(page.get_by_role("alert")).to_contain_text("No file nobody.csv was ever seen")


def test_where_there_is_nothing_the_next_step_is_said(open_page: Open, app: Any) -> None:
    app.change(lambda it: [records.clear() for records in it.collections.values()])
    opened = open_page()
    expect(opened.page.locator("h1")).to_contain_text(
        "No model answers yet. Nothing is under way. Nothing needs you."
    )
    for address, told in NEXT.items():
        expect(opened.go(address).locator("main")).to_contain_text(told)


def test_lists_lead_to_older_pages(open_page: Open, app: Any) -> None:
    first = app.collections["runs"][0]
    app.change(
        lambda it: it.collections["runs"].extend(
            {**first, "id": f"old-v{n}-a1", "version": n} for n in range(60)
        )
    )
    page = open_page().go("#/runs")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("table", name="Runs")).to_contain_text("old-v59-a1")
    page.get_by_role("link", name="Newest").click()
    expect(page.get_by_role("table", name="Runs")).to_contain_text("bank-additional-v8-a1")


def test_a_page_without_what_is_looked_for_leads_on_to_the_next(open_page: Open, app: Any) -> None:
    """Of a filtered list only a part is looked through for each page."""
    batches = app.collections["batches"]
    app.change(lambda it: setattr(it, "scanned", len(batches) // 2))
    batches[-1]["state"] = "duplicate"
    opened = open_page()
    page = opened.go("#/batches?state=duplicate")
    main = page.locator("main")
    expect(main).to_contain_text("None on this page")
    expect(main).not_to_contain_text("No batch in this state")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("table", name="Batches")).to_contain_text(batches[-1]["name"])
    page = opened.go(f"#/batches?state=held&after={len(batches) - 1}")
    expect(main).to_contain_text("None on this page")
    page.get_by_role("link", name="Newest").click()
    opened.until("location.hash === '#/batches?state=held'")


def test_a_list_that_was_looked_through_to_its_end_says_that_there_is_none(open_page: Open) -> None:
    page = open_page().go("#/batches?state=held")
    expect(page.locator("main")).to_contain_text("No batch in this state")
    expect(page.get_by_role("link", name="Older")).to_have_count(0)


def test_an_old_models_batches_are_found_behind_those_of_the_newer(open_page: Open, app: Any) -> None:
    newest = next(
        record for record in app.collections["batches"] if record.get("modelVersion") == bank.SERVING
    )
    app.change(
        lambda it: it.collections["batches"].__setitem__(
            slice(0, 0), [{**newest, "id": f"new-{n}", "name": f"new-{n}.csv"} for n in range(150)]
        )
    )
    page = open_page().go("#/models/bank-additional/2")
    scored = page.get_by_role("region", name="Batches it scored")
    expect(scored.get_by_role("listitem")).to_have_count(1)
    expect(scored).to_contain_text("to-call-w41.csv")


def test_more_than_are_shown_of_a_models_batches_are_one_click_away(open_page: Open, app: Any) -> None:
    app.change(lambda it: setattr(it, "scanned", 5))
    opened = open_page()
    scored = opened.go("#/models/bank-additional/2").get_by_role("region", name="Batches it scored")
    expect(scored).to_contain_text("None of the newest batches")
    expect(scored).not_to_contain_text("None yet")
    scored.get_by_role("link", name="Older").click()
    main = opened.page.locator("main")
    expect(main.get_by_role("region", name="Batches that bank-additional:2 scores")).to_contain_text(
        "to-call-w41.csv"
    )
    main.get_by_role("link", name="Those of every model").click()
    expect(main.get_by_role("table", name="Batches")).to_contain_text("to-call-w45.csv")


def test_a_model_that_scored_nothing_says_so(open_page: Open) -> None:
    page = open_page().go("#/models/bank-additional/6")
    expect(page.get_by_role("region", name="Batches it scored")).to_contain_text("None yet")


def test_the_chart_has_its_numbers_as_a_table(open_page: Open) -> None:
    opened = open_page()
    page = opened.go("#/models?metric=logLoss")
    label = page.locator(".chart-canvas").get_attribute("aria-label")
    assert label is not None
    assert "Version 5, rolled back: 0.2902" in label
    page.get_by_text("The numbers as a table").click()
    numbers = page.get_by_role("region", name="Log loss by version").locator("tbody tr")
    assert numbers.count() == len(bank.MODELS)
    page.get_by_role("navigation", name="Figure").get_by_text("AUC").click()
    opened.until("document.querySelector('.chart-canvas').getAttribute('aria-label').startsWith('AUC')")
    assert page.locator(".chart-canvas canvas").count() == 1


def test_a_model_that_never_answered_is_not_drawn_as_one_that_did(open_page: Open, app: Any) -> None:
    for version, state in ((3, "undecided"), (6, "accepted")):
        app.record("models", f"{bank.DATASET}:{version}")["state"] = state
    page = open_page().go("#/models")
    label = page.locator(".chart-canvas").get_attribute("aria-label")
    assert label is not None
    assert "Version 3, needs more rows: " in label
    assert "Version 6, accepted: " in label
    other = page.locator(".legend li", has=page.locator("[data-mark=other]"))
    expect(other).to_have_text("needs more rows, accepted")
    page.get_by_text("The numbers as a table").click()
    became = page.get_by_role("region", name="Gain over the base rate by version").locator("td:nth-child(2)")
    assert became.all_inner_texts() == [
        "in service", "accepted", "rolled back", "was in service", "needs more rows", "was in service", "was in service",
    ]  # fmt: skip


def test_a_new_model_is_said_to_answer_unless_a_guard_objects(open_page: Open, app: Any) -> None:
    opened = open_page()
    rule = "unless a guard objects"
    expect(opened.go("#/models").locator("main")).to_contain_text(rule)
    expect(opened.go("#/trace/incoming/calls-2026-w46.csv").locator("main")).to_contain_text(rule)
    page = opened.go("#/files")
    page.get_by_role("button", name="Retrain bank-additional").click()
    expect(page.locator("#confirm")).to_contain_text(rule)


def test_the_model_is_tried_in_its_own_terms(open_page: Open) -> None:
    page = open_page().go("#/api")
    page.get_by_label("age", exact=True).fill("41")
    page.get_by_role("button", name="Score the record").click()
    expect(page.locator(".answer")).to_contain_text("41.0 %the probability")
    expect(page.locator(".answer")).to_contain_text("Call")
    page.get_by_label("age", exact=True).fill("forty")
    page.get_by_role("button", name="Score the record").click()
    expect(page.get_by_role("alert")).to_contain_text("write digits only")


def test_the_flow_shows_every_step_and_every_fact(open_page: Open, app: Any) -> None:
    page = open_page().go("#/flow")
    for rule in app.flow:
        box = page.locator(f"#step-{rule['step']}")
        expect(box).to_contain_text(rule["description"])
        told = {
            chip.split(":")[0]
            for chip in box.locator(".flow-ends .chip").evaluate_all("all => all.map((one) => one.title)")
        }
        assert told == set(rule["leadsTo"])
    outside = page.locator(".flow-in .chip").evaluate_all("all => all.map((one) => one.title.split(':')[0])")
    assert {"UploadArrived", "RunMoved", "ScoringDue", "ReconcileDue", "RetrainDue"} <= set(outside)
    assert page.locator(".flow-wires path.head").count() >= 9


def test_a_step_begins_when_the_one_before_it_ended(open_page: Open, app: Any) -> None:
    """Azure ML may make all steps at once; the bars still follow each other."""
    run = app.record("runs", "bank-additional-v7-a1")
    first = run["steps"][0]["startedAt"]
    for step in run["steps"]:
        step["startedAt"] = first
    page = open_page().go("#/runs/bank-additional-v7-a1")
    bars = page.locator(".gantt-bar")
    places = bars.evaluate_all(
        "all => all.map((bar) => ['--from', '--long'].map((name) => Number(bar.style.getPropertyValue(name))))"
    )
    assert len(places) == 4
    for (begin, long), (after, _) in itertools.pairwise(places):
        assert begin + long == pytest.approx(after, abs=0.001)
