"""Blob, queue and table storage of the embedded Azure: Azurite, supervised."""
