"""Protobuf messages taken apart without a schema: what an .onnx file is made of. Needs nothing."""

from collections.abc import Iterator

_VARINT, _LENGTH = 0, 2  # wire types; of fixed size: 1 and 5
_FIXED_SIZES = {1: 8, 5: 4}
_LONGEST_VARINT = 63  # bits


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, value) of a message; those of fixed size are passed over. ValueError, LookupError."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
        elif wire == _LENGTH:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise ValueError("a field reaches beyond the end")
            yield key >> 3, message[at : at + size]
            at += size
        else:
            at += _FIXED_SIZES[wire]


def messages(message: memoryview, wanted: int) -> list[memoryview]:
    """All values of a field that are messages, strings or packed numbers themselves."""
    return [value for field, value in fields(message) if field == wanted and isinstance(value, memoryview)]


def text(message: memoryview, wanted: int) -> str:
    """A string field, empty where it is left out."""
    return "".join(bytes(value).decode() for value in messages(message, wanted))


def numbers(value: int | memoryview) -> list[int]:
    """A repeated field of whole numbers, be it packed or one of its values alone."""
    if isinstance(value, int):
        return [value]
    at, found = 0, []
    while at < len(value):
        number, at = _varint(value, at)
        found.append(number)
    return found


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """(value, place after it): seven bits a byte, the lowest first, the eighth says that more follow."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > _LONGEST_VARINT:
            raise ValueError("a number without end")
