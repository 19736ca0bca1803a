"""Which addresses of the network a webhook may lead to: judged by the number, however it is spelt or found."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
_HOLDING_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""NAT64, and the "IPv4-compatible" addresses of old; source: RFC 6052 and RFC 4291, 2.5.5.1."""
_SHARED = ip_network("100.64.0.0/10")
"""Between a carrier and its clients; source: RFC 6598."""
_AZURE_HOST = ip_address("168.63.129.16")
"""A machine in Azure asks it for its configuration; source: Microsoft, "What is IP address 168.63.129.16?"."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What the owner allows beyond the addresses that everybody can reach."""

    loopback: bool = False
    private: bool = False

    def fault(self, address: Address) -> str:
        """Why nothing is sent there; empty when it may be."""
        ip = _inner(address)
        if ip.is_loopback:
            return "" if self.loopback else "is on this machine: set WEBHOOKS_ON_LOOPBACK to allow that"
        if ip.is_link_local or ip.is_unspecified or ip.is_multicast or ip == _AZURE_HOST:
            return "is none that a subscriber outside could have"
        if ip.is_private or ip in _SHARED or getattr(ip, "is_site_local", False):
            if self.private:
                return ""
            return "is in a private network: set WEBHOOKS_ON_PRIVATE_NETWORK to allow that"
        return "" if ip.is_global else "is none that a subscriber outside could have"


def spelt(host: str) -> Address | None:
    """The address that a host's name is, as the system would read it: decimal, octal and hex too; None for a name."""
    host = host.rstrip(".")  # as of a name, a dot at its end changes nothing
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _inner(ip: Address) -> Address:
    """The IPv4 address within an IPv6 one that stands for it."""
    if isinstance(ip, IPv4Address):
        return ip
    if not ip.is_loopback and not ip.is_unspecified and any(ip in network for network in _HOLDING_IPV4):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
