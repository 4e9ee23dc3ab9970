"""Facts about bone names: which words common rigs use for which joint, and how a name is read.

Knows names only; hierarchy and positions belong to limbs.py, the decision to joint_claims.py.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SIDES = ("left", "right")
CENTRE_ROLES = ("pelvis", "spine", "neck", "head")
SIDED_ROLES = ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")


@dataclass(frozen=True)
class Convention:
    """One naming scheme: for each role the accepted stems (name without side, case, separators), best first."""

    name: str
    stems: dict[str, tuple[str, ...]]


# A bone is named here by the joint at its head: "shoulder" is the upper arm bone, "collar" the clavicle.
# Accepted stems are separated by blanks, best first; "-" where the convention has no such bone. Conventions which
# differ only in prefix, separators or spelling of the side (HumanIK, Mixamo, Plask ...) share a row.
# name: pelvis | spine from the lowest up | neck | head
#     collar | shoulder | elbow | wrist || hip | knee | ankle | toe
_TABLE = """
hik: hips | spine spine1 spine2 spine3 | neck | head
    shoulder | arm | forearm | hand || upleg | leg | foot | toebase toe
cmu_cgspeed: hips | lowerback spine spine1 | neck | head
    shoulder | arm | forearm | fingerbase hand || upleg | leg | foot | toebase
cmu_asf: root | lowerback upperback thorax | lowerneck | head
    clavicle | humerus | radius | hand wrist || femur | tibia | foot | toes
rokoko_newton: hips | spine1 spine2 spine3 spine4 | neck | head
    shoulder | arm | forearm | hand || thigh | shin | foot | toe
rokoko_live: hip | spine chest | neck | head
    shoulder | upperarm | lowerarm | hand || upleg | leg | foot | toe
xsens_bvh: hips | chest chest2 chest3 chest4 | neck | head
    collar | shoulder | elbow | wrist || hip | knee | ankle | toe
xsens_mvn: pelvis | l5 l3 t12 t8 | neck | head
    shoulder | upperarm | forearm | hand || upperleg | lowerleg | foot | toe
vrm: hips | spine chest upperchest | neck | head
    shoulder | upperarm | lowerarm | hand || upperleg | lowerleg | foot | toes toebase
unreal: pelvis | spine01 spine02 spine03 spine04 spine05 | neck01 neck | head
    clavicle | upperarm | lowerarm | hand || thigh | calf | foot | ball toes
smpl: pelvis | spine1 spine2 spine3 | neck | head
    collar | shoulder | elbow | wrist || hip | knee | ankle | foot
kinect_azure: pelvis | spinenavel spinenaval spinechest | neck | head
    clavicle | shoulder | elbow | wrist || hip | knee | ankle | foot
kinect_v2: spinebase | spinemid spineshoulder | neck | head
    - | shoulder | elbow | wrist || hip | knee | ankle | foot
daz_bvh: hip | abdomen chest | neck | head
    collar | shldr | forearm | hand || thigh | shin | foot | toe toes
daz_g8: hip | abdomenlower abdomenupper chestlower chestupper | necklower | head
    collar | shldrbend | forearmbend | hand || thighbend | shin | foot | toe
daz_g9: hip | spine1 spine2 spine3 spine4 | neck1 | head
    shoulder | upperarm | forearm | hand || thigh | shin | foot | toes
biped: pelvis | spine spine1 spine2 spine4 | neck neck1 | head head1
    clavicle | upperarm | forearm | hand || thigh | calf | foot | toe0
motive: hip | ab chest | neck | head
    shoulder | uarm | farm | hand || thigh | shin | foot | toe
mpfb_default: root | spine05 spine04 spine03 spine02 spine01 | neck01 | head
    clavicle | upperarm01 | lowerarm01 | wrist || upperleg01 | lowerleg01 | foot | toe11
reallusion_cc: hip | waist spine01 spine02 | necktwist01 | head
    clavicle | upperarm | forearm | hand || thigh | calf | foot | toebase
rigify_metarig: spine | spine001 spine002 spine003 | spine004 | spine006
    shoulder | upperarm | forearm | hand || thigh | shin | foot | toe
rigify_fk: torso | spinefk001 spinefk002 spinefk003 | neck | head
    shoulder | upperarmfk | forearmfk | handfk || thighfk | shinfk | footfk | toefk toe
rigify_legacy_def: hips | spine chest | neck | head
    shoulder | upperarm01 | forearm01 | hand || thigh01 | shin01 | foot | toe
auto_rig_pro_fk: crootmaster croot | cspine01 cspine02 cspine03 | cneck | chead
    cshoulder | carmfk | cforearmfk | chandfk || cthighfk | clegfk | cfootfk | ctoesfk
auto_rig_pro_def: root | spine01 spine02 spine03 | neck | head
    shoulder | armstretch | forearmstretch | hand || thighstretch | legstretch | foot | toes01
cascadeur: pelvis | stomach chest | neck | head
    clavicle | arm | forearm | hand || thigh | calf | foot | toe
freemocap: pelvis | spine spine001 | neck | face
    shoulder | upperarm | forearm | hand || thigh | shin | foot | -
synty: hips | spine01 spine02 spine03 | neck | head
    clavicle | shoulder | elbow | hand || upperleg | lowerleg | ankle | ball toes
openpose: midhip | - | neck | -
    - | elbow | wrist | - || knee | ankle | bigtoe | -
mmd: センター 下半身 | 上半身 上半身2 | 首 | 頭
    肩 | 腕 | ひじ | 手首 || 足 | ひざ | 足首 | つま先 足先ex
words: pelvis hips hip | - | neck neck1 neck01 | head
    clavicle collar shoulder | upperarm uparm humerus shldr | forearm lowerarm lowarm radius elbow | wrist hand
    || thigh upleg upperleg femur | shin calf lowleg lowerleg tibia knee | foot ankle | toe toes toebase ball
"""


def _read_table(text: str) -> tuple[Convention, ...]:
    rows = re.sub(r"\n\s+(\|\|)?", " | ", text.strip()).replace("||", "|").splitlines()
    return tuple(_read_row(name, cells.split("|")) for name, cells in (row.split(":", 1) for row in rows))


def _read_row(name: str, cells: list[str]) -> Convention:
    stems = [tuple(stem for stem in cell.split() if stem != "-") for cell in cells]
    return Convention(name, dict(zip(CENTRE_ROLES + SIDED_ROLES, stems, strict=True)))


CONVENTIONS = _read_table(_TABLE)

# Bones that are never a joint: they follow others (twist, share), steer (IK, pole) or only end a chain.
_HELPER_TEXT = """
    twist roll end endsite nub tip ik pole target helper share tweak mch vis handle socket attach weapon prop
    breast boob pec rib ribs ribstwist butt eye eyelid jaw tongue teeth lip brow cheek nose ear hair
    thumb index middle mid ring pinky finger fingers metacarpal palm heel small bigtoe
"""
_HELPER_WORDS = frozenset(_HELPER_TEXT.split())
_NOISE_WORDS = frozenset(("jnt", "joint", "bone", "bn", "bind", "sk", "skel", "x"))  # x: Auto-Rig Pro's centre bones
_FEW = 10  # so many names must share a word before it counts as a studio's mark
LAYERS = ("", "org", "def")  # Rigify: what an animator keys, and the two layers that follow it, best first
_SIDE_WORDS = {"l": "left", "left": "left", "lft": "left", "左": "left"}
_SIDE_WORDS |= {"r": "right", "right": "right", "rgt": "right", "右": "right"}
# Prefix -> the convention's own name, where it shares its stems with another ("": nothing new).
_PREFIXES = {
    r"mixamorig\d*[_:]?": "mixamo",
    r"valvebiped\.bip\d+[ _]": "valve_biped",
    r"j_bip_c?_?": "vroid",
    r"character\d*_": "",
    r"bip\d+[ _]": "",
    r"cc_base_|rl_": "",
    r"k4abt_joint_": "",
    r"[mf]_avg_": "",
}
_PREFIX = re.compile(rf"^(?:.*[:|])?(?:{'|'.join(_PREFIXES)})?", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+|[左右]|[^\W\d_a-zA-Z左右]+\d*")


_MARK = re.compile(r"[^_.\-\s]+[_.\-\s]+(?=.)")  # a first word with what parts it from the rest


def bare_names(names: Sequence[str]) -> list[str]:
    """Names without namespace, known prefix and a first word that most share; as they are where two become one."""
    plain = [name[_PREFIX.match(name).end() :] for name in names]
    marks = Counter(found.group() for found in map(_MARK.match, plain) if found)
    mark, count = marks.most_common(1)[0] if marks else ("", 0)
    if count > len(plain) / 2:
        plain = [name.removeprefix(mark) for name in plain]
    return plain if all(plain) and len(set(plain)) == len(names) else list(names)


@dataclass(frozen=True)
class BoneName:
    """A name taken apart: the side that it claims, its layer, and the rest in lower case without separators."""

    side: str | None
    layer: str
    stem: str
    is_helper: bool


def read_names(names: Sequence[str]) -> list[BoneName]:
    """Side, layer and stem of each bone name; a bare leading l or r is a side only when its counterpart exists."""
    words = _without_common(_without_common([_words(name) for name in names], 0), -1)
    glued = {"".join(each) for each in words}
    return [_read(each, glued) for each in words]


def _words(name: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(name[_PREFIX.match(name).end() :])]
    return [word for word in words if word not in _NOISE_WORDS] or words


def _without_common(names: list[list[str]], place: int) -> list[list[str]]:
    """Names without the first (0) or last (-1) word, such as a studio's mark, if most of them share it."""
    ends = Counter(words[place] for words in names if words)
    word, count = ends.most_common(1)[0] if ends else ("", 0)
    cut = slice(1, None) if place == 0 else slice(None, -1)
    shared = [words[cut] for words in names if words and words[place] == word]
    is_mark = count > max(len(names) / 2, _FEW) and len(word) > 1 and word not in _SIDE_WORDS and word not in LAYERS
    if not (is_mark and all(map(_says_something, shared))):
        return names
    return [words[cut] if words and words[place] == word else words for words in names]


def _says_something(words: list[str]) -> bool:
    return any(word not in _SIDE_WORDS and not word.isdigit() for word in words)


def _read(words: list[str], glued: set[str]) -> BoneName:
    layer = words[0] if words and words[0] in LAYERS else ""
    sides = [_SIDE_WORDS[word] for word in words if word in _SIDE_WORDS]
    rest = [word for word in words if word not in _SIDE_WORDS and word not in LAYERS]
    side, stem = (sides[0], "".join(rest)) if sides else _split_glued("".join(rest), glued)
    return BoneName(side, layer, stem, any(word.rstrip("0123456789") in _HELPER_WORDS for word in rest))


def _split_glued(stem: str, glued: set[str]) -> tuple[str | None, str]:
    """`lfemur` beside `rfemur`, `lefthand`: the side at the front of the word itself."""
    for mark, other in (("left", "right"), ("right", "left"), ("l", "r"), ("r", "l")):
        if stem.startswith(mark) and len(stem) > len(mark) and other + stem[len(mark) :] in glued:
            return _SIDE_WORDS[mark], stem[len(mark) :]
    return None, stem


def find_stems(bones: Sequence[BoneName], convention: Convention, layer: str) -> dict[str, list[int]]:
    """For each joint the bones of the layer that the convention calls so, in the convention's order."""
    index: dict[tuple[str | None, str], int] = {}
    for i, bone in enumerate(bones):
        if bone.layer == layer:
            index.setdefault((bone.side, bone.stem), i)
    wanted = [(role, None, role) for role in CENTRE_ROLES]
    wanted += [(f"{side}_{role}", side, role) for side in SIDES for role in SIDED_ROLES]
    hits = {joint: [index.get((side, stem)) for stem in convention.stems[role]] for joint, side, role in wanted}
    found = {joint: [bone for bone in hit if bone is not None] for joint, hit in hits.items()}
    return {joint: hit for joint, hit in found.items() if hit}


def full_name(convention: str, names: Sequence[str]) -> str:
    """The convention's own name where a prefix tells it from others with the same stems."""
    for prefix, name in _PREFIXES.items():
        if name and any(re.match(rf"(?:.*[:|])?{prefix}", each, re.IGNORECASE) for each in names):
            return name
    return convention
