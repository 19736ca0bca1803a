"""A model of several members: their mean, who reads what, and which variant answers whom."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pyarrow as pa
import pytest
from jsonschema import Draft4Validator
from trees_model import CUTS

from serving.answer import answer
from serving.arrow import CONTENT_TYPE
from serving.boosted import Boosted
from serving.features import Feature, encode
from serving.linear import Levels, Linear, Slope
from serving.log_odds import SUREST
from serving.members import Member
from serving.model import LIST, SINGLE, ModelBroken, load, save
from serving.schema import request_schema
from serving.trusted import ready
from tests.unit.serving.test_schema import fits, nullable

FEATURES = (
    Feature(name="age", type="integer", minimum=17, maximum=120),
    Feature(name="job", type="category", values=("admin.", "student")),
    Feature(name="rate", type="number"),
)
LISTED = {
    "name": "log_clients",
    "description": "Log of the list's number of clients.",
    "of": {"log": "count"},
}
DAY = {"name": "log_day", "minimum": 0}
LINE = Linear(
    intercept=-2.0,
    terms=(
        Slope(column="age", mean=40, scale=10, low=20, high=80, coefficient=0.5, missing=0.25),
        Levels(column="job", coefficients={"student": 1.0, "admin.": -0.5}, missing=-0.25),
    ),
)
ROWS: dict[str, Any] = {
    "age": [70, 20, None, 55, 95],
    "job": ["student", "admin.", None, "student", "admin."],
    "rate": [0.1, None, 3.0, -2.0, 0.4],
}
LISTS: dict[str, Any] = {"log_clients": [6.5] * 5, "log_day": [3.0] * 5}
FACTS = {
    "name": "bank",
    "version": "3",
    "threshold": 0.125,
    "deciles": {**CUTS, LIST: [n / 20 for n in range(1, 10)]},
}


def trees(columns: tuple[str, ...], *, threads: int = 1, **parameters: Any) -> str:
    """Trees of an answer that all columns have a part in."""
    chance = np.random.default_rng(7)
    drawn: dict[str, Any] = {
        "age": chance.integers(18, 90, 500).tolist(),
        "job": chance.choice(["admin.", "student"], 500).tolist(),
        "rate": chance.normal(size=500).tolist(),
        "log_clients": chance.normal(6, 2, 500).tolist(),
        "log_day": chance.normal(3, 1, 500).tolist(),
    }
    known = {**{feature.name: feature for feature in FEATURES}, **LIST_FEATURES}
    matrix = encode([known[name] for name in columns], drawn)
    odds = (np.array(drawn["age"]) - 50) / 20 + np.array(drawn["rate"]) - np.array(drawn["log_clients"]) / 4
    answers = (odds + chance.normal(size=500) > -1).astype(float)
    categories = [at for at, name in enumerate(columns) if name == "job"]
    data = lightgbm.Dataset(matrix, answers, categorical_feature=categories)
    made = {
        "objective": "binary",
        "verbosity": -1,
        "num_threads": threads,
        "deterministic": True,
        **parameters,
    }
    return lightgbm.train(made, data, num_boost_round=15).model_to_string()


LIST_FEATURES = {name: Feature(name=name, type="number") for name in ("log_clients", "log_day")}
FOREST = {"boosting": "rf", "extra_trees": True, "bagging_freq": 1, "bagging_fraction": 0.7}


def member(name: str, weight: float, columns: tuple[str, ...], **parameters: Any) -> Member:
    return Member(name=name, kind="trees", columns=columns, weight=weight, text=trees(columns, **parameters))


def line(weight: float) -> Member:
    return Member(name="line", kind="linear", columns=("age", "job"), weight=weight, text=LINE.to_text())


def variants(**parameters: Any) -> dict[str, list[Member]]:
    """Columns in another order than the model's, and not all of them."""
    single = [
        member("plain", 0.5, ("age", "job", "rate"), **parameters),
        line(0.2),
        member("forest", 0.3, ("rate", "age"), **FOREST),
    ]
    listed = [member("plain", 0.6, ("log_day", "age", "log_clients", "rate"), **parameters), line(0.4)]
    return {SINGLE: single, LIST: listed}


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("several")
    save(folder, features=FEATURES, list_columns=[LISTED, DAY], variants=variants(), facts=FACTS)
    return folder


def mean(members: list[Member], rows: dict[str, Any]) -> list[float]:
    """As it is defined, slowly."""
    known = {**{feature.name: feature for feature in FEATURES}, **LIST_FEATURES}
    logits = np.zeros(len(rows["age"]))
    for one in members:
        if one.kind == "trees":
            matrix = encode([known[name] for name in one.columns], rows)
            said = lightgbm.Booster(model_str=one.text).predict(matrix)
        else:
            said = np.array(
                [
                    1 / (1 + math.exp(-by_hand(age, job)))
                    for age, job in zip(rows["age"], rows["job"], strict=True)
                ]
            )
        clipped = np.clip(said, SUREST, 1 - SUREST)
        logits += one.weight * np.log(clipped / (1 - clipped))
    return [1 / (1 + math.exp(-each)) for each in logits]


def by_hand(age: float | None, job: str | None) -> float:
    number = 0.25 if age is None else 0.5 * (min(max(age, 20), 80) - 40) / 10
    return -2.0 + number + {"student": 1.0, "admin.": -0.5, None: -0.25}[job]


# --- the mean -----------------------------------------------------------------------------------------------------


def test_a_probability_is_of_the_weighted_mean_of_log_odds(several: Path) -> None:
    model = load(several)
    assert model.probabilities(ROWS) == pytest.approx(mean(variants()[SINGLE], ROWS), abs=1e-12)
    with_list = {**ROWS, **LISTS}
    assert model.probabilities(with_list) == pytest.approx(mean(variants()[LIST], with_list), abs=1e-12)


def test_a_row_scores_the_same_alone_and_among_others(several: Path) -> None:
    model = load(several)
    for rows in (ROWS, {**ROWS, **LISTS}):
        many = {name: values * 2000 for name, values in rows.items()}
        together = model.probabilities(many)
        alone = [
            model.probabilities({name: [values[at]] for name, values in rows.items()})[0] for at in range(5)
        ]
        assert together.tolist() == alone * 2000


def test_one_member_alone_says_what_it_says(tmp_path: Path) -> None:
    only = member("plain", 1.0, ("age", "rate"))
    save(tmp_path, features=FEATURES, variants={SINGLE: [only]}, facts=FACTS)
    matrix = encode([FEATURES[0], FEATURES[2]], ROWS)
    expected = lightgbm.Booster(model_str=only.text).predict(matrix).tolist()
    assert load(tmp_path).probabilities(ROWS).tolist() == expected


def test_no_member_of_several_is_surer_than_one_in_a_hundred(tmp_path: Path) -> None:
    sure = Linear(intercept=500.0, terms=LINE.terms)
    members = [
        Member(name="sure", kind="linear", columns=("age", "job"), weight=0.5, text=sure.to_text()),
        line(0.5),
    ]
    save(tmp_path, features=FEATURES, variants={SINGLE: members}, facts=FACTS)
    said = load(tmp_path).probabilities(ROWS)
    assert said == pytest.approx(mean_of_sure(ROWS), abs=1e-12)


def mean_of_sure(rows: dict[str, Any]) -> list[float]:
    most = math.log((1 - SUREST) / SUREST)
    each = [
        max(-most, min(by_hand(age, job), most)) for age, job in zip(rows["age"], rows["job"], strict=True)
    ]
    return [1 / (1 + math.exp(-(most + other) / 2)) for other in each]


# --- compiled -----------------------------------------------------------------------------------------------------


def golden(folder: Path) -> None:
    rows = [list(row) for row in zip(*ROWS.values(), strict=True)]
    listed = [list(row) for row in zip(*{**ROWS, **LISTS}.values(), strict=True)]
    body = {"columns": [*ROWS], "rows": rows, LIST: {"columns": [*ROWS, *LISTS], "rows": listed}}
    (folder / "golden.json").write_text(json.dumps(body))


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    save(tmp_path, features=FEATURES, list_columns=[LISTED, DAY], variants=variants(), facts=FACTS)
    golden(tmp_path)
    return tmp_path


def test_the_trees_of_all_members_are_compiled_and_say_the_same(trusted: Path) -> None:
    plain, quick = load(trusted), ready(trusted)
    for variant in (SINGLE, LIST):
        learners = [one.learner for one in quick.variants[variant].members]
        assert [isinstance(learner, Boosted) and learner.compiled is not None for learner in learners] == [
            one.kind == "trees" for one in variants()[variant]
        ]
    for rows in (ROWS, {**ROWS, **LISTS}):
        assert quick.probabilities(rows) == pytest.approx(plain.probabilities(rows), abs=1e-15)


def test_a_variant_whose_trees_are_wrong_goes_on_with_lightgbm_and_the_other_does_not(
    trusted: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from serving import compiled

    kept = compiled.Compiled.predict
    monkeypatch.setattr(
        compiled.Compiled,
        "predict",
        lambda self, matrix: kept(self, matrix) + (1e-9 if matrix.shape[1] == 4 else 0),
    )
    quick = ready(trusted)
    assert (quick.variants[SINGLE].compiled, quick.variants[LIST].compiled) == (True, False)
    assert "compiled trees (list): they differ" in caplog.text


# --- which variant ------------------------------------------------------------------------------------------------


def asked(folder: Path, rows: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    records = [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
    said = answer(load(folder), json.dumps({"data": records}).encode())
    return said.status, json.loads(said.body)


def shapes(rows: dict[str, Any]) -> list[Any]:
    names, data = [*rows], [list(row) for row in zip(*rows.values(), strict=True)]
    return [
        {"input_data": {"columns": names, "data": data}},
        {"inputs": rows},
        {"data": [dict(zip(names, row, strict=True)) for row in data]},
    ]


def arrow(rows: dict[str, Any]) -> bytes:
    table = pa.table({name: pa.array(values) for name, values in rows.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


NULLS: dict[str, Any] = {"log_clients": [None] * 5, "log_day": [None] * 5}


@pytest.mark.parametrize(
    ("rows", "variant"), [(ROWS, SINGLE), ({**ROWS, **NULLS}, SINGLE), ({**ROWS, **LISTS}, LIST)]
)
def test_rows_with_list_columns_are_answered_by_list_and_others_by_single(
    several: Path, rows: dict[str, Any], variant: str
) -> None:
    model = load(several)
    expected = model.variants[variant].predict(model.encode(rows)).tolist()
    for body in shapes(rows):
        said = json.loads(answer(model, json.dumps(body).encode()).body)
        assert (said["variant"], said["probability"]) == (variant, expected)
    with pa.ipc.open_stream(answer(model, arrow(rows), CONTENT_TYPE).body) as stream:
        table = stream.read_all()
    assert table.schema.metadata[b"variant"].decode() == variant
    assert table["probability"].to_pylist() == expected


def test_each_variant_has_its_own_deciles(several: Path) -> None:
    model = load(several)
    for rows, step in ((ROWS, 10), ({**ROWS, **LISTS}, 20)):
        scores = model.scores(model.encode(rows))
        assert scores.decile.tolist() == [min(10, int(each * step) + 1) for each in scores.probability]


PARTIAL = [
    {**LISTS, "log_day": [3.0, None, 3.0, 3.0, 3.0]},
    {"log_clients": [6.5] * 5},
    {"log_clients": [None, None, 6.5, None, None]},
]


@pytest.mark.parametrize("partly", PARTIAL)
def test_list_columns_of_some_rows_only_are_refused_with_what_to_mend(
    several: Path, partly: dict[str, Any]
) -> None:
    model, rows = load(several), {**ROWS, **partly}
    bodies = [(json.dumps(body).encode(), "") for body in shapes(rows)] + [(arrow(rows), CONTENT_TYPE)]
    for body, content_type in bodies:
        said = answer(model, body, content_type)
        error = json.loads(said.body)["error"]
        assert (said.status, error["code"]) == (400, "MixedList")
        assert "send log_clients, log_day of every row, or of none" in error["message"]


def test_a_list_value_that_breaks_a_rule_is_its_rows_problem(several: Path) -> None:
    status, said = asked(several, {**ROWS, **LISTS, "log_day": [3.0, -1.0, "long", 3.0, 3.0]})
    assert (status, said["variant"]) == (200, LIST)
    assert [problem is None for problem in said["problem"]] == [True, False, False, True, True]
    assert said["problem"][1] == "log_day: '-1' is below 0 (the contract allows 0 to inf)"


def test_no_rows_are_answered_by_single(several: Path) -> None:
    model = load(several)
    assert model.scores(model.encode({name: [] for name in ROWS})).variant == SINGLE


def test_the_description_has_list_columns_that_may_be_left_out(several: Path) -> None:
    model = load(several)
    schema = request_schema(model)
    Draft4Validator.check_schema(nullable(schema))
    assert fits(schema, schema["example"])
    record = schema["properties"]["data"]["items"]
    assert record["required"] == ["age", "job", "rate"]
    assert record["properties"]["log_clients"]["description"] == LISTED["description"]
    assert record["properties"]["log_day"]["minimum"] == 0
    assert "all of them are sent for every row, or none" in schema["description"]


# --- what is stored -----------------------------------------------------------------------------------------------


def test_a_definition_of_a_list_column_passes_through(several: Path) -> None:
    model = load(several)
    assert model.description["list_columns"] == [LISTED, DAY]
    assert (model.columns, model.list_columns) == (["age", "job", "rate"], ["log_clients", "log_day"])
    assert model.reads(SINGLE) == model.columns
    assert model.reads(LIST) == [*model.columns, *model.list_columns]


def digest(folder: Path, **more: Any) -> str:
    given = {"features": FEATURES, "variants": {SINGLE: [line(1.0)]}, "facts": FACTS, **more}
    save(folder, **given)
    return str(load(folder).description["model_sha256"])


def test_the_hash_is_of_what_the_answers_follow_from(tmp_path: Path) -> None:
    known = digest(tmp_path)
    assert digest(tmp_path, facts={**FACTS, "version": "4", "trained_rows": 3}) == known
    other = Linear(intercept=-2.5, terms=LINE.terms)
    changed = Member(name="line", kind="linear", columns=("age", "job"), weight=1.0, text=other.to_text())
    assert digest(tmp_path, variants={SINGLE: [changed]}) != known
    wider = (*FEATURES, Feature(name="more", type="number"))
    assert digest(tmp_path, features=wider) != known
    halves = [line(0.5), member("plain", 0.5, ("age",))]
    thirds = [line(1 / 3), member("plain", 2 / 3, ("age",))]
    assert digest(tmp_path, variants={SINGLE: halves}) != digest(tmp_path, variants={SINGLE: thirds})


def test_the_number_of_threads_does_not_change_the_hash(tmp_path: Path) -> None:
    one, two = trees(("age", "rate")), trees(("age", "rate"), threads=2)
    assert one != two  # LightGBM writes the number down
    made = [
        digest(
            tmp_path,
            variants={
                SINGLE: [Member(name="plain", kind="trees", columns=("age", "rate"), weight=1.0, text=text)]
            },
        )
        for text in (one, two)
    ]
    assert made[0] == made[1]
    assert "num_threads" not in (tmp_path / "single-plain.txt").read_text()


def test_a_description_that_was_changed_is_refused(trusted: Path) -> None:
    body = json.loads((trusted / "model.json").read_text())
    body["variants"][SINGLE]["members"][0]["weight"] = 0.6
    (trusted / "model.json").write_text(json.dumps(body))
    with pytest.raises(ModelBroken, match="not as it was written"):
        load(trusted)


@pytest.mark.parametrize("file", ["single-line.json", "list-plain.txt", "single-forest.txt"])
def test_a_member_that_was_changed_is_refused(trusted: Path, file: str) -> None:
    with (trusted / file).open("a") as written:
        written.write(" ")
    with pytest.raises(ModelBroken, match=f"{file} is not what model.json describes; fetch it again"):
        load(trusted)


def changed(one: Member, **more: Any) -> Member:
    return Member(**{**vars(one), **more})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"variants": {LIST: [line(1.0)]}}, "must be single"),
        ({"variants": {SINGLE: [line(1.0)], LIST: [line(1.0)]}}, "must be single"),
        ({"list_columns": [LISTED]}, "must be single and list"),
        (
            {"list_columns": [{"name": "age"}], "variants": {SINGLE: [line(1.0)], LIST: [line(1.0)]}},
            "one name",
        ),
        ({"variants": {SINGLE: []}}, "add up to 0; they must to 1"),
        (
            {"variants": {SINGLE: [line(0.4)]}},
            "add up to 0.4; they must to 1, or, where the model is calibrated, to 0.5 to 2",
        ),
        ({"variants": {SINGLE: [line(0.5), line(0.5)]}}, "a name of its own"),
        ({"variants": {SINGLE: [changed(line(1.0), name="../line")]}}, "a name of its own"),
        ({"variants": {SINGLE: [changed(line(1.0), kind="forest")]}}, "known are trees, linear"),
        (
            {"variants": {SINGLE: [changed(line(1.0), columns=("height",))]}},
            "columns, each once, out of age, job, rate",
        ),
        ({"variants": {SINGLE: [changed(line(1.0), columns=("age", "age"))]}}, "each once"),
        ({"variants": {SINGLE: [line(-1.0)]}}, "a weight above 0"),
        ({"variants": {SINGLE: [line(math.nan)]}}, "a weight above 0"),
    ],
)
def test_what_is_no_model_is_not_saved(tmp_path: Path, given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        digest(tmp_path, **given)
    assert not list(tmp_path.iterdir())


def test_single_reads_no_list_column(tmp_path: Path) -> None:
    reading = member("plain", 1.0, ("age", "log_clients"))
    with pytest.raises(ValueError, match="columns, each once, out of age, job, rate"):
        digest(tmp_path, list_columns=[LISTED], variants={SINGLE: [reading], LIST: [reading]})


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "no JSON",
        Linear(intercept=0.0, terms=LINE.terms[:1]).to_text(),
        Linear(intercept=0.0, terms=LINE.terms[::-1]).to_text(),
        Linear(
            intercept=0.0, terms=(LINE.terms[0], Levels(column="job", coefficients={"admin.": 1}, missing=0))
        ).to_text(),
        Linear(
            intercept=0.0, terms=(Levels(column="age", coefficients={}, missing=0), LINE.terms[1])
        ).to_text(),
        LINE.to_text().replace("10", "0"),
        LINE.to_text().replace("0.25", "NaN"),
    ],
)
def test_a_line_that_is_none_of_its_columns_is_not_loaded(tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelBroken, match="train it again"):
        digest(tmp_path, variants={SINGLE: [changed(line(1.0), text=text)]})


def test_trees_of_other_columns_are_not_loaded(tmp_path: Path) -> None:
    other = changed(member("plain", 1.0, ("age", "rate")), columns=("age",))
    with pytest.raises(ModelBroken, match="know 2 features and are to read 1"):
        digest(tmp_path, variants={SINGLE: [other]})
    with pytest.raises(ModelBroken, match="LightGBM does not read its trees"):
        digest(tmp_path, variants={SINGLE: [changed(other, text="tree\n")]})


def test_a_line_survives_its_text() -> None:
    assert Linear.from_text(LINE.to_text()) == LINE
