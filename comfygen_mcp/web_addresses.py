"""Which addresses of the Internet are public: nothing of this machine, of its network or of its cloud."""

import ipaddress
from typing import TypeAlias

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNICAST_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
"""The special-purpose registries of IANA; the standard library's own list differs between its versions."""
_METADATA = {
    ipaddress.ip_address(address)
    for address in (
        *("169.254.169.254", "169.254.170.2", "169.254.170.23", "168.63.129.16", "100.100.100.200"),
        *("192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"),
    )
}
"""Where clouds answer their own machines, keys included; some of these look public."""


def is_public(address: str) -> bool:
    """Tell whether *address* (as a resolver gives it) is a public one; what is no address is not."""
    parsed = _parsed(address)
    if parsed is None or is_metadata(address):
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in _UNICAST_V6:
        return False
    return not any(parsed in network for network in _NOT_PUBLIC)


def is_metadata(address: str) -> bool:
    """Tell whether *address* is where a cloud gives a machine its keys, also as part of an IPv6 address."""
    parsed = _parsed(address)
    return parsed is not None and (parsed in _METADATA or _embedded(parsed) in _METADATA)


def _parsed(address: str) -> _Address | None:
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None


def _embedded(address: _Address) -> _Address | None:
    """Return the IPv4 address that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
