"""The errors that Azure's SDKs raise; no SDK is here to raise one."""


class AzureError(Exception): ...


class HttpResponseError(AzureError):
    status_code: int | None = None
    error_code = ""
