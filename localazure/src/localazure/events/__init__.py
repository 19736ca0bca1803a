"""Event Grid of the embedded Azure: topics, the storage account's events, delivery to queues."""
