"""How a step ends that cannot go on: with one sentence that says why and what to do, which becomes the run's reason."""

from __future__ import annotations

from shared.domain.run_end import marked


class CannotGoOn(SystemExit):
    """Ends the step's process; the sentence is the last line of its log."""

    def __init__(self, sentence: str) -> None:
        super().__init__(marked(sentence))
