"""The usual client of a scoring server: pandas, 1,000 rows of JSON at a time, one request after the other.

Run by an interpreter that has pandas (`bench.rivals`); reads a CSV blob, writes a CSV blob, prints a line of JSON.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time

import pandas as pd
import requests
from azure.storage.blob import BlobServiceClient

ROWS = 1_000


def main() -> int:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--source", required=True, help="blob in the container scoring")
    made.add_argument("--output", required=True, help="blob in the container scored")
    made.add_argument("--url", required=True)
    given = made.parse_args()
    service = BlobServiceClient.from_connection_string(os.environ["BENCH_CONNECTION_STRING"])
    session = requests.Session()
    session.trust_env = False

    began = time.perf_counter()
    data = service.get_blob_client("scoring", given.source).download_blob().readall()
    frame = pd.read_csv(io.BytesIO(data))
    scores: list[float] = []
    for start in range(0, len(frame), ROWS):
        part = frame.iloc[start : start + ROWS]
        body = json.dumps({"dataframe_split": part.to_dict(orient="split")})
        answer = session.post(given.url, data=body, headers={"Content-Type": "application/json"}, timeout=60)
        answer.raise_for_status()
        scores += answer.json()["predictions"]
    frame["probability"] = scores
    service.get_blob_client("scored", given.output).upload_blob(
        frame.to_csv(index=False).encode(), overwrite=True
    )
    seconds = time.perf_counter() - began
    print(json.dumps({"rows": len(scores), "seconds": round(seconds, 3), "mean": sum(scores) / len(scores)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
