"""Procedures that several steps share, with the documents they fence: idempotent submission, run slot, gather window,
content claim, release, batch progress, unseen blobs."""
