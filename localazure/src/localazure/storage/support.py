"""What of Azure Storage is here: (feature, state, the test that shows it, the difference from Azure).

The services themselves are Azurite's, and so is what they lack: https://github.com/Azure/Azurite#features-scope
"""

from __future__ import annotations

_ROWS = (
    ("Blob, queue and table storage", "yes", "test_supervisor.py::test_state_outlives_a_stop",
     "Azurite's; one account, of a public key"),
    ("State outlives a stop", "yes", "test_supervisor.py::test_state_outlives_a_stop",
     "a kill -9 of node may lose what came in its last seconds"),
    ("Nothing is left behind by a killed supervisor", "yes",
     "test_supervisor.py::test_azurite_ends_with_its_supervisor", ""),
    ("An access log of every finished request, with what each write was", "yes",
     "test_supervisor.py::test_the_access_log_says_of_a_write_what_it_was", "not in Azure in this form"),
    ("The log is bounded", "yes", "test_supervisor.py::test_the_log_is_bounded", ""),
)  # fmt: skip
SUPPORT: tuple[tuple[str, str, str, str], ...] = tuple(
    (feature, state, f"tests/storage/{test}" if test else "", difference)
    for feature, state, test, difference in _ROWS
)
