"""The simulated queue stands in for this client."""


class QueueServiceClient: ...
