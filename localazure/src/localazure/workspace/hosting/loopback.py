"""Microsoft's inference server on 127.0.0.1 instead of all addresses. Run by a deployment's own Python.

The server's command has no option for the address, so the constant it reads is set before it starts.
"""

from azureml_inference_server_http import constants

if __name__ == "__main__":
    constants.DEFAULT_HOST = "127.0.0.1"
    from azureml_inference_server_http import amlserver

    amlserver.run()
