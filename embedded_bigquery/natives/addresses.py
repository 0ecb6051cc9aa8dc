"""Internet addresses and the host of a URL.

Source: "Net functions", docs.cloud.google.com/bigquery/docs/reference/standard-sql/net_functions.
"""

from __future__ import annotations

import ipaddress
import re

from embedded_bigquery.natives.native import Native


def from_string(value: str) -> bytes:
    found = safe_from_string(value)
    if found is None:
        raise ValueError(f"NET.IP_FROM_STRING() encountered an unparseable IP-address: {value}")
    return found


def safe_from_string(value: str) -> bytes | None:
    try:
        return ipaddress.ip_address(value).packed
    except ValueError:
        return None


def _checked(value: bytes, name: str) -> bytes:
    if len(value) not in (4, 16):
        expected = "Expected 4 (for IPv4) or 16 (for IPv6) bytes"
        raise ValueError(f"{name}() encountered an invalid IP address. {expected} but got {len(value)}")
    return value


def to_string(value: bytes) -> str:
    return str(ipaddress.ip_address(_checked(value, "NET.IP_TO_STRING")))


def mask(size: int, prefix: int) -> bytes:
    if size not in (4, 16):
        raise ValueError(
            f"The first argument of NET.IP_NET_MASK() must be either 4 (for IPv4) or 16 (for IPv6); got {size}"
        )
    if not 0 <= prefix <= 8 * size:
        raise ValueError(
            f"The second argument of NET.IP_NET_MASK() must be between 0 and the first argument * 8; got {prefix}"
        )
    return ((1 << 8 * size) - (1 << 8 * size - prefix)).to_bytes(size, "big")


def truncated(value: bytes, prefix: int) -> bytes:
    size = len(_checked(value, "NET.IP_TRUNC"))
    if not 0 <= prefix <= 8 * size:
        raise ValueError(
            f"The second argument of NET.IP_TRUNC() must be between 0 and 8 * LENGTH(first argument); got {prefix}"
        )
    kept = int.from_bytes(value, "big") >> 8 * size - prefix << 8 * size - prefix
    return kept.to_bytes(size, "big")


def from_number(value: int) -> bytes:
    if not -(2**31) <= value < 2**32:
        expected = "Expected range: [-0x80000000, 0xFFFFFFFF]"
        raise ValueError(f"NET.IPV4_FROM_INT64() encountered an invalid integer IP. {expected}; got {value}")
    return (value % 2**32).to_bytes(4, "big")


def to_number(value: bytes) -> int:
    if len(value) != 4:
        expected = f"Expected 4 bytes but got {len(value)}"
        raise ValueError(f"NET.IPV4_TO_INT64() encountered a non-IPv4 address. {expected}")
    return int.from_bytes(value, "big")


def host(value: str) -> str | None:
    """The host of a URL, also of one without a scheme; None when there is none."""
    text = value.strip()
    found = re.match(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]{2}([^/?#\\]*)", text)
    authority = found.group(1) if found else re.split(r"[/?#\\]", text, maxsplit=1)[0]
    authority = authority.rpartition("@")[2]
    bracket = re.match(r"\[[^\]]*\]", authority)
    name = bracket.group() if bracket else authority.partition(":")[0]
    return name.strip() or None


NATIVES = (
    Native("bq_ip_from_string", from_string, ("VARCHAR",), "BLOB"),
    Native("bq_safe_ip_from_string", safe_from_string, ("VARCHAR",), "BLOB"),
    Native("bq_ip_to_string", to_string, ("BLOB",), "VARCHAR"),
    Native("bq_ip_net_mask", mask, ("BIGINT", "BIGINT"), "BLOB"),
    Native("bq_ip_trunc", truncated, ("BLOB", "BIGINT"), "BLOB"),
    Native("bq_ipv4_from_int64", from_number, ("BIGINT",), "BLOB"),
    Native("bq_ipv4_to_int64", to_number, ("BLOB",), "BIGINT"),
    Native("bq_host", host, ("VARCHAR",), "VARCHAR"),
)
