"""Crypto wallets: TRON, Bitcoin and Ethereum addresses, by checksum where there is one.

The mixed case of an Ethereum address is a guard against typing errors (EIP-55); whoever pastes one with a wrong case
still asks for money, and checking it needs Keccak, which is slow in Python. So any case is taken.
"""

import hashlib
import re
from collections.abc import Iterator

from processor.fraud.detectors.spelling import Found

MAY = re.compile("[A-Za-z0-9]{26}")
"""What an address holds; cheap to ask."""

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUE58 = {char: value for value, char in enumerate(_BASE58)}
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUE32 = {char: value for value, char in enumerate(_BECH32)}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_SUM, _BECH32M_SUM = 1, 0x2BC830A3
_PREFIX32 = (3, 3, 0, 2, 3)  # "bc", expanded
_TRON, _BITCOIN = {0x41}, {0x00, 0x05}  # version bytes

_ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9])(?:T[{_BASE58}]{{33}}|[13][{_BASE58}]{{25,34}}|0[xX][0-9A-Fa-f]{{40}}"
    rf"|bc1(?:[{_BECH32}]{{39}}|[{_BECH32}]{{59}})|BC1(?:[{_BECH32.upper()}]{{39}}|[{_BECH32.upper()}]{{59}}))(?![A-Za-z0-9])"
)


def find(text: str) -> Iterator[Found]:
    """Wallet addresses; the value is the address, in lower case where case means nothing."""
    for match in _ADDRESS.finditer(text):
        address = match[0]
        kind = address[:2].lower()
        if kind == "0x":
            yield Found(*match.span(), address.lower())
        elif kind == "bc":
            if _is_bech32(address.lower()[3:]):
                yield Found(*match.span(), address.lower())
        elif _is_base58check(address, _TRON if kind[0] == "t" else _BITCOIN):
            yield Found(*match.span(), address)


def _is_base58check(address: str, versions: set[int]) -> bool:
    number = 0
    for char in address:
        number = number * 58 + _VALUE58[char]
    if number >> 200:
        return False
    data = number.to_bytes(25)
    body, check = data[:-4], data[-4:]
    return body[0] in versions and hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == check


def _is_bech32(data: str) -> bool:
    values = [_VALUE32[char] for char in data]
    total = 1
    for value in (*_PREFIX32, *values):
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(_GENERATORS):
            if top >> place & 1:
                total ^= generator
    return total == (_BECH32_SUM if values[0] == 0 else _BECH32M_SUM)
