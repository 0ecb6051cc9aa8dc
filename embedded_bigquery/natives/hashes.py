"""Hashes: SHA-512, and FarmHash's Fingerprint64 as FARM_FINGERPRINT gives it.

Source: "farmhashna" of github.com/google/farmhash (MIT).
"""

from __future__ import annotations

import hashlib

from embedded_bigquery.natives.native import Native

MASK = 2**64 - 1
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def sha512(value: bytes) -> bytes:
    return hashlib.sha512(value).digest()


def _word(data: bytes, position: int, size: int = 8) -> int:
    return int.from_bytes(data[position : position + size], "little")


def _rotated(value: int, shift: int) -> int:
    return ((value >> shift) | (value << (64 - shift))) & MASK


def _mixed(value: int) -> int:
    return value ^ (value >> 47)


def _hash16(low: int, high: int, factor: int) -> int:
    first = _mixed((low ^ high) * factor & MASK)
    return _mixed((high ^ first) * factor & MASK) * factor & MASK


def _short(data: bytes) -> int:
    """Up to 16 bytes."""
    size = len(data)
    if size >= 8:
        factor = K2 + size * 2 & MASK
        first, last = _word(data, 0) + K2 & MASK, _word(data, size - 8)
        third = _rotated(last, 37) * factor + first & MASK
        fourth = (_rotated(first, 25) + last) * factor & MASK
        return _hash16(third, fourth, factor)
    if size >= 4:
        factor = K2 + size * 2 & MASK
        return _hash16(size + (_word(data, 0, 4) << 3) & MASK, _word(data, size - 4, 4), factor)
    if size:
        first = data[0] + (data[size >> 1] << 8)
        second = size + (data[-1] << 2)
        return _mixed(first * K2 & MASK ^ second * K0 & MASK) * K2 & MASK
    return K2


def _to_32(data: bytes) -> int:
    size = len(data)
    factor = K2 + size * 2 & MASK
    a, b = _word(data, 0) * K1 & MASK, _word(data, 8)
    c, d = _word(data, size - 8) * factor & MASK, _word(data, size - 16) * K2 & MASK
    return _hash16(
        _rotated(a + b & MASK, 43) + _rotated(c, 30) + d & MASK, a + _rotated(b + K2 & MASK, 18) + c & MASK, factor
    )


def _to_64(data: bytes) -> int:
    size = len(data)
    factor = K2 + size * 2 & MASK
    a, b = _word(data, 0) * K2 & MASK, _word(data, 8)
    c, d = _word(data, size - 8) * factor & MASK, _word(data, size - 16) * K2 & MASK
    y = _rotated(a + b & MASK, 43) + _rotated(c, 30) + d & MASK
    z = _hash16(y, a + _rotated(b + K2 & MASK, 18) + c & MASK, factor)
    e, f = _word(data, 16) * factor & MASK, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor & MASK, (z + _word(data, size - 24)) * factor & MASK
    return _hash16(
        _rotated(e + f & MASK, 43) + _rotated(g, 30) + h & MASK, e + _rotated(f + a & MASK, 18) + g & MASK, factor
    )


def _weak(data: bytes, position: int, a: int, b: int) -> tuple[int, int]:
    """Two sums over the 32 bytes at `position`."""
    w, x, y, z = (_word(data, position + 8 * step) for step in range(4))
    a = a + w & MASK
    b = _rotated(b + a + z & MASK, 21)
    c = a
    a = a + x + y & MASK
    b = b + _rotated(a, 44) & MASK
    return a + z & MASK, b + c & MASK


def fingerprint(data: bytes) -> int:
    """Fingerprint64 as a signed number of 64 bits."""
    value = _fingerprint(data)
    return value - 2**64 if value >= 2**63 else value


def _fingerprint(data: bytes) -> int:
    size = len(data)
    if size <= 64:
        return _short(data) if size <= 16 else _to_32(data) if size <= 32 else _to_64(data)
    x, y = 81, 81 * K1 + 113 & MASK
    z = _mixed(y * K2 + 113 & MASK) * K2 & MASK
    v, w = (0, 0), (0, 0)
    x = x * K2 + _word(data, 0) & MASK
    end = (size - 1) // 64 * 64
    last = end + ((size - 1) & 63) - 63
    for position in range(0, end, 64):
        x = _rotated(x + y + v[0] + _word(data, position + 8) & MASK, 37) * K1 & MASK
        y = _rotated(y + v[1] + _word(data, position + 48) & MASK, 42) * K1 & MASK
        x ^= w[1]
        y = y + v[0] + _word(data, position + 40) & MASK
        z = _rotated(z + w[0] & MASK, 33) * K1 & MASK
        v = _weak(data, position, v[1] * K1 & MASK, x + w[0] & MASK)
        w = _weak(data, position + 32, z + w[1] & MASK, y + _word(data, position + 16) & MASK)
        z, x = x, z
    factor = K1 + ((z & 0xFF) << 1) & MASK
    w = (w[0] + ((size - 1) & 63) & MASK, w[1])
    v = (v[0] + w[0] & MASK, v[1])
    w = (w[0] + v[0] & MASK, w[1])
    x = _rotated(x + y + v[0] + _word(data, last + 8) & MASK, 37) * factor & MASK
    y = _rotated(y + v[1] + _word(data, last + 48) & MASK, 42) * factor & MASK
    x ^= w[1] * 9 & MASK
    y = y + v[0] * 9 + _word(data, last + 40) & MASK
    z = _rotated(z + w[0] & MASK, 33) * factor & MASK
    v = _weak(data, last, v[1] * factor & MASK, x + w[0] & MASK)
    w = _weak(data, last + 32, z + w[1] & MASK, y + _word(data, last + 16) & MASK)
    z, x = x, z
    return _hash16(
        _hash16(v[0], w[0], factor) + _mixed(y) * K0 + z & MASK, _hash16(v[1], w[1], factor) + x & MASK, factor
    )


NATIVES = (
    Native("bq_sha512", sha512, ("BLOB",), "BLOB"),
    Native("bq_fingerprint", fingerprint, ("BLOB",), "BIGINT"),
)
