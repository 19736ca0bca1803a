"""Views: the ledger's records as JSON, links, pages (nextLink), lineage, operations and Retry-After."""
