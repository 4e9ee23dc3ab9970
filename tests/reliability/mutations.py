"""Damage to files and command lines of known structure: the same random numbers give the same damage. No bpy."""

import copy
import json
from collections.abc import Callable
from random import Random

# Numbers as people, detectors and broken exporters write them, and words where a number belongs.
_LIKE_NUMBERS = """
    nan NaN -nan inf -Infinity 1e999 -1e999 1e40 1e-400 -0 0 1 -1 +5 .5 5. 0x10 1_000 1,5 1.5.2 1e 1e5 -1e-5 1#QNAN
    -1.#IND null None ٣ ½ 1d3 4294967296 -2147483649 9007199254740993 --1 1-1 true
"""
_OF_BVH = """
    ROOT JOINT End Site { } OFFSET CHANNELS HIERARCHY MOTION Frames: Frame Time: Xposition Zrotation Wrotation {{ }} }{
"""
NUMBERS = (*_LIKE_NUMBERS.split(), "9" * 23, "9" * 400, "9" * 5000, "", " ", "\x00", "\u2028", "0." + "3" * 300)
WORDS = (*_OF_BVH.split(), "#", "//", "\ufeff", "\x00", "\x1b[31m", "\r", "\u202e", "ü", "\ud7ff", "x" * 3000, "名前")
_MOST_TEXT = 1 << 20  # characters: damage repeats, and a file is to take milliseconds


def damage_text(data: bytes, rng: Random) -> bytes:
    """The text with one to four kinds of damage, in one of the encodings that files come in."""
    text = data.decode("utf-8", errors="surrogateescape")
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        text = rng.choice(_TEXT)(text, rng)[:_MOST_TEXT]
    return rng.choice(_ENCODE)(text, rng)


def damage_bytes(data: bytes, rng: Random) -> bytes:
    """The file with bytes changed, cut out, repeated or put in; for what is no text."""
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        data = rng.choice(_BYTES)(data, rng)
    return data


def damage_json(data: bytes, rng: Random) -> bytes:
    """The JSON with one to four values replaced, removed, repeated or buried; now and then its text is damaged, too."""
    tree = json.loads(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        tree = _damage_tree(tree, rng)
    text = json.dumps(tree, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.1:
        text = _buried(text, rng)
    encoded = text.encode("utf-8", errors="surrogatepass")
    return damage_text(encoded, rng) if rng.random() < 0.15 else encoded


def damage_arguments(arguments: list[str], rng: Random) -> list[str]:
    """The command line with words changed, removed, exchanged, repeated or put in."""
    result = list(arguments)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(len(result) + 1)
        odd = rng.choice((*NUMBERS, *WORDS, "-o", "--", "-", "--start", "--complete", "@file", "LeftArm:9-1", ":", "/"))
        kind = rng.randrange(4)
        if kind == 0:
            result.insert(place, odd)
        elif kind == 1 and result:
            result[place % len(result)] = odd
        elif kind == 2 and result:
            del result[place % len(result)]
        elif result:
            result.insert(place, rng.choice(result))
    return [word.replace("\x00", "") for word in result]  # the system itself takes no zero byte


# --- text -------------------------------------------------------------------------------------------------------------


def _cut_off(text: str, rng: Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _line_gone(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True)
    first = rng.randrange(len(lines) or 1)
    del lines[first : first + rng.choice((1, 1, 1, 2, 10))]
    return "".join(lines)


def _line_repeated(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    first = rng.randrange(len(lines))
    part = lines[first : first + rng.choice((1, 1, 2, 8))] * rng.choice((2, 2, 3, 50))
    place = rng.choice((first, rng.randrange(len(lines))))
    return "".join(lines[:place] + part + lines[place:])


def _lines_exchanged(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    a, b = (rng.randrange(len(lines)) for _ in range(2))
    lines[a], lines[b] = lines[b], lines[a]
    return "".join(lines)


def _word_changed(text: str, rng: Random) -> str:
    """Another word, or number, in the place of one; numbers are met as often as they stand there."""
    lines = text.splitlines(keepends=True)
    filled = [number for number, line in enumerate(lines[:2000]) if line.strip()]
    if not filled:
        return text
    number = rng.choice(filled)
    words = lines[number].split(" ")
    place = rng.randrange(len(words))
    end = "\n" if words[place].endswith("\n") else ""
    words[place] = rng.choice(NUMBERS if rng.random() < 0.6 else WORDS) + end
    lines[number] = " ".join(words)
    return "".join(lines)


def _word_put_in(text: str, rng: Random) -> str:
    place = rng.randrange(len(text) + 1)
    return f"{text[:place]} {rng.choice((*WORDS, *NUMBERS))} {text[place:]}"


def _character_changed(text: str, rng: Random) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice("\x00\t\n\r {}:,.-+eE0_9\u00a0\u3000\x85\x1a\x0b\x0c") + text[place + 1 :]


def _flood(text: str, rng: Random) -> str:
    place = rng.randrange(len(text) + 1)
    return (
        text[:place]
        + rng.choice((" ", "\n", "\t", "{", "}", "\x00", "0 ", "[")) * rng.choice((100, 50_000))
        + text[place:]
    )


def _decimal_commas(text: str, rng: Random) -> str:
    return text.replace(".", ",", rng.choice((1, 5, -1)))


def _line_ends(text: str, rng: Random) -> str:
    return text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", " \n", "\x0b", "\x85", "\u2028", "")))


def _spliced(text: str, rng: Random) -> str:
    a, b = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    return text[b:] + text[:a] if rng.random() < 0.5 else text[:a] + text[b:]


_TEXT: tuple[Callable[[str, Random], str], ...] = (
    _cut_off,
    _line_gone,
    _line_repeated,
    _lines_exchanged,
    _word_changed,
    _word_changed,
    _word_changed,
    _word_put_in,
    _character_changed,
    _flood,
    _decimal_commas,
    _line_ends,
    _spliced,
)


def _as_utf8(text: str, _: Random) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def _with_mark(text: str, _: Random) -> bytes:
    return b"\xef\xbb\xbf" + text.encode("utf-8", errors="surrogateescape")


def _as_latin(text: str, _: Random) -> bytes:
    return text.encode("latin-1", errors="replace")


def _as_utf16(text: str, rng: Random) -> bytes:
    data = text.encode(rng.choice(("utf-16", "utf-16-be", "utf-16-le")), errors="surrogatepass")
    return data[: len(data) - rng.choice((0, 0, 1))]


def _with_bytes(text: str, rng: Random) -> bytes:
    return damage_bytes(text.encode("utf-8", errors="surrogateescape"), rng)


_ENCODE = (*(_as_utf8,) * 12, _with_mark, _as_latin, _as_utf16, _with_bytes)


# --- bytes ------------------------------------------------------------------------------------------------------------


def _bit_turned(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    if changed:
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _bytes_gone(data: bytes, rng: Random) -> bytes:
    first = rng.randrange(len(data) + 1)
    return data[:first] + data[first + rng.choice((1, 4, 100)) :]


def _bytes_put_in(data: bytes, rng: Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.choice((b"\xff", b"\x00", rng.randbytes(8), b"\x80" * 12)) + data[place:]


def _end_gone(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


_BYTES = (_bit_turned, _bit_turned, _bit_turned, _bytes_gone, _bytes_put_in, _end_gone)


# --- JSON -------------------------------------------------------------------------------------------------------------

_ODD_VALUES = (
    None, True, False, 0, -1, 1, 0.5, -1e300, 1e999, -1e999, float("nan"), 10**30, 2**63, 1e18, "", "0", "nan",
    "1,5", "../../../../etc/passwd", "/dev/zero", "\x00", "x" * 3000, "\ud800", [], {}, [[]], [{}], [None], {"": 0},
    [0] * 1000, [[1, 2], [3]], {"keypoints": 3}, {"x": [], "y": []},
)  # fmt: skip


def _damage_tree(tree: object, rng: Random) -> object:
    """A copy with one place damaged; every depth is as likely as the next."""
    tree = copy.deepcopy(tree)
    parent, key = _some_place(tree, rng)
    if parent is None:
        return rng.choice((*_ODD_VALUES, [tree], {"people": tree}, {"frames": tree}))
    kind = rng.randrange(6)
    if kind <= 2:
        parent[key] = copy.deepcopy(rng.choice(_ODD_VALUES))
    elif kind == 3:
        del parent[key]
    elif kind == 4:
        parent[key] = rng.choice(([parent[key]], {"keypoints": parent[key]}, str(parent[key]), [parent[key]] * 3))
    elif isinstance(parent, list):
        parent.insert(key, copy.deepcopy(rng.choice(parent)))
    else:
        parent[rng.choice(("x", "frames", "people", key + " ", key.upper()))] = parent.pop(key)
    return tree


def _some_place(tree: object, rng: Random) -> tuple[object, object]:
    """A list or dictionary somewhere inside, and one of its keys; (None, None) for the root itself."""
    parent, key, node = None, None, tree
    while isinstance(node, (list, dict)) and node and rng.random() < 0.75:
        parent, key = node, rng.choice(range(len(node)) if isinstance(node, list) else list(node))
        node = parent[key]
    return parent, key


def _buried(text: str, rng: Random) -> str:
    """The text deep inside lists or objects: deeper, mostly, than a reader that calls itself can go."""
    depth = rng.choice((50, 900, 5000, 100_000))
    if rng.random() < 0.3:
        return "[" * depth
    return rng.choice(("[" * depth + text + "]" * depth, '{"frames":' * depth + text + "}" * depth))
