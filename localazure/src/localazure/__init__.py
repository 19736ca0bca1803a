"""Azure on 127.0.0.1 for the unmodified SDKs: storage, Event Grid, a Functions host, an Azure ML workspace."""

__version__ = "0.1.0"
