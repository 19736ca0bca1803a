"""The config document: what the owner has changed while the app runs, over what the app settings say.

It is read at most once in some seconds by each process, however much there is to do, and whole: a step goes by one
policy from its beginning to its end.
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.live_choices import LiveChoices
from shared.ledger import Document
from shared.services import Services

LIVE_CONFIG = Document(name="live-config", type=LiveChoices, placement="standing", shown=True)
ALL = "all"
"""The one part there is."""
FRESH_SECONDS = 5.0
"""So long a process may go by what it read last: a change is in force everywhere after that."""


def in_force(services: Services) -> Services:
    """With the policy as it is now. raises: Transient when it cannot be read"""
    config = services.ledger.documents.recent(LIVE_CONFIG, ALL, seconds=FRESH_SECONDS)
    if config is None or not config.value.chosen:
        return services
    return replace(services, policy=config.value.over(services.policy))
