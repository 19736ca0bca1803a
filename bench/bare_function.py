"""The limit of small files, a function app of its own: pandas reads the blob, writes a Parquet, and one row is inserted.

No contract, no check, no second delivery, nothing that survives a crash, nobody who is notified.
"""

from __future__ import annotations

import io
import os

import azure.functions as func
import pandas as pd
from azure.data.tables import TableClient
from azure.storage.blob import BlobServiceClient

CONNECTION = os.environ["BARE_STORAGE"]
blobs = BlobServiceClient.from_connection_string(CONNECTION)
rows = TableClient.from_connection_string(CONNECTION, "barerows")
app = func.FunctionApp()


@app.queue_trigger(arg_name="msg", queue_name="bare", connection="BARE_STORAGE")
def file_dropped(msg: func.QueueMessage) -> None:
    name = msg.get_body().decode()
    content = blobs.get_blob_client("bare", name).download_blob().readall()
    frame = pd.read_csv(io.BytesIO(content), sep=";")
    part = io.BytesIO()
    frame.to_parquet(part)
    blobs.get_blob_client("bare-parts", f"{name}.parquet").upload_blob(part.getvalue(), overwrite=True)
    rows.create_entity({"PartitionKey": "file", "RowKey": name, "rows": len(frame)})
