"""Why the host cannot start, in words for the person who starts it.

HostError
├── BadSetting           host.json, the settings file or a %SETTING% is missing or malformed
├── BrokenApp            the app cannot be loaded, or the Functions worker would refuse it
└── StorageUnavailable   the account behind a connection does not answer
"""

from __future__ import annotations


class HostError(Exception):
    """The host cannot start; the message says what, where and what to do."""


class BadSetting(HostError):
    """A setting is missing or malformed."""


class BrokenApp(HostError):
    """Azure would not run this app either."""


class StorageUnavailable(HostError):
    """A storage account does not answer."""
