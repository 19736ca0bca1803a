"""Application Insights, embedded: it takes what the app exports, by real HTTP and TLS, and shows it by trace."""

from __future__ import annotations

from contract.conftest import Embedded
from unit.adapters.exporting_flow import lived


def test_a_flow_is_seen_under_its_trace(embedded: Embedded) -> None:
    server = embedded.server
    (upload, batch, _), done = lived(
        "azure-monitor",
        APPLICATIONINSIGHTS_CONNECTION_STRING=(
            f"InstrumentationKey=00000000-0000-0000-0000-00000000bbbb;IngestionEndpoint={server.base}/"
        ),
        REQUESTS_CA_BUNDLE=server.bundle,
    )
    assert (done.returncode, done.stderr) == (0, "")
    seen = {
        trace: [
            each["data"]["baseData"]["name"]
            for each in server.call("GET", f"/__localazure/telemetry?operation={trace}").json()["value"]
        ]
        for trace in (upload, batch)
    }
    assert {"UploadArrived", "start_run", "judge_run", "release_model", "seal_batch"} <= set(seen[upload])
    assert {"BatchDue", "plan_batch", "score_shard", "seal_batch"} <= set(seen[batch])
    everything = server.call("GET", "/__localazure/telemetry").json()["value"]
    metrics = [each["data"]["baseData"] for each in everything if each["data"]["baseType"] == "MetricData"]
    assert {"campanha.rows", "campanha.releases"} <= {metric["metrics"][0]["name"] for metric in metrics}
