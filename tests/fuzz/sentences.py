"""What the targets are, in a sentence each. Standard library only, so that `./dev fuzz --help` needs nothing installed."""

from __future__ import annotations

SENTENCES = {
    "admission": "A CSV to train on, by the reader in columns and by the strict one: they agree.",
    "fact": "A message of ours: a fact, with its trace around it or without.",
    "event": "An event of Event Grid, in either schema.",
    "traceparent": "The header `traceparent` of a request.",
    "page-token": "The token in a link to the next page, or to what changed since.",
    "contract": "A data contract, as YAML.",
    "outcomes": "A file of what calls brought.",
    "alert-channels": "The setting ALERT_CHANNELS.",
}
