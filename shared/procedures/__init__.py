"""What several steps do the same way: idempotent submission, admission, batch progress, unseen blobs."""
