"""From records of the ledger to what is shown: JSON, links, pages, lineage, when to ask again."""
