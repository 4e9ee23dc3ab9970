"""The right answer for every rig of the shared samples, worked out from hierarchy and rest positions by eye.

A row: file | pelvis spine chest neck head head_top | the left joints from collar to wrist, from hip to toe | how the
left names turn right. `{}` stands for the side, `-` for a joint without a bone. Decisions worth knowing:

- spine is the bone between pelvis and chest nearest to 46 % of the way, as in the model; one bone is the chest.
- CMU's forearm is two bones: in the cgspeed files LeftHand starts two thirds down it and the hand at LeftFingerBase
  (in this conversion the second bone has no length, so both lie in one place); MPFB's rig of those names has LeftHand
  at the wrist.
- hik_fingers_60's LeftForeFoot starts right under the ankle and mesh2motion's head_leaf in the face: neither is a
  joint. custom_fk_jnt's fourth back bone carries nothing but the head, above the shoulders: it is the neck.
- mpfb_rigify carries its arms one spine bone higher than Rigify's own metarig.
- The openpose rig names its bones by the joint at their tail: the bone that starts at the hip is LKnee.
"""

JOINTS = (
    *("pelvis", "spine", "chest", "neck", "head", "head_top"),
    *("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe"),
)

_HIK_ARM = "{}Shoulder {}Arm {}ForeArm {}Hand"
_HIK_LEG = "{}UpLeg {}Leg {}Foot"
_UNREAL = "clavicle_{} upperarm_{} lowerarm_{} hand_{} thigh_{} calf_{} foot_{} ball_{}"
_RIGIFY = "shoulder.{} upper_arm.{} forearm.{} hand.{} thigh.{} shin.{} foot.{} toe.{}"
_MAKEHUMAN = "clavicle.{} upperarm01.{} lowerarm01.{} wrist.{} upperleg01.{} lowerleg01.{} foot.{} toe1-1.{}"
_DAZ = "{}Collar {}Shldr {}ForeArm {}Hand {}Thigh {}Shin {}Foot"
_XSENS = "{}Collar {}Shoulder {}Elbow {}Wrist {}Hip {}Knee {}Ankle"
_FULL, _SHORT, _LOW = ("Left", "Right"), ("L", "R"), ("l", "r")

_ROWS = {
    "cmu_cgspeed_daz.bvh": ("hip abdomen chest neck head -", f"{_DAZ} -", _LOW),
    "cmu_cgspeed_motionbuilder.bvh": (
        "Hips Spine Spine1 Neck Head -",
        f"{{}}Shoulder {{}}Arm {{}}ForeArm {{}}FingerBase {_HIK_LEG} {{}}ToeBase",
        _FULL,
    ),
    "custom_fk_jnt.bvh": (
        "FK_back1_jnt FK_back2_jnt FK_back3_jnt FK_back4_jnt head_jnt head_end_jnt",
        "{}_shoulder_jnt {}_upArm_jnt {}_lowArm_jnt {}_hand_jnt {}_upLeg_jnt {}_lowLeg_jnt {}_foot_jnt {}_toe_jnt",
        _SHORT,
    ),
    "hik_fingers_60.bvh": ("Hips Spine1 Spine3 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} -", _FULL),
    "hik_spine3_24.bvh": ("Hips Spine1 Spine3 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase", _FULL),
    "mixamo.bvh": (
        "mixamorig:Hips mixamorig:Spine1 mixamorig:Spine2 mixamorig:Neck mixamorig:Head mixamorig:HeadTop_End",
        " ".join(f"mixamorig:{name}" for name in f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase".split()),
        _FULL,
    ),
    "motionbuilder_hik_minimal.bvh": ("Hips Spine Spine1 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} -", _FULL),
    "motive_minimal_spine.bvh": ("Hips - Spine - Head -", f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase", _FULL),
    "optitrack_arena.bvh": ("Hips - Chest Neck Head -", f"{_XSENS} -", _FULL),
    "perception_neuron.bvh": ("Hips Spine1 Spine3 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} -", _FULL),
    "reallusion_cc_base.bvh": (
        "CC_Base_Hip CC_Base_Spine01 CC_Base_Spine02 CC_Base_NeckTwist01 CC_Base_Head -",
        "CC_Base_{}_Clavicle CC_Base_{}_Upperarm CC_Base_{}_Forearm CC_Base_{}_Hand "
        "CC_Base_{}_Thigh CC_Base_{}_Calf CC_Base_{}_Foot CC_Base_{}_ToeBase",
        _SHORT,
    ),
    "rokoko_smartsuit.bvh": ("Hips Spine Spine2 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase", _FULL),
    "webavatar.bvh": ("hip abdomen chest neck head -", f"{_DAZ} {{}}Toes", _LOW),
    "xsens_like_chest.bvh": ("Hips Chest2 Chest4 Neck Head -", f"{_XSENS} {{}}Toe", _FULL),
    "cmu_amp.fbx": (
        "Hips Spine Spine1 Neck Head Head_end",
        f"{{}}Shoulder {{}}Arm {{}}ForeArm {{}}FingerBase {_HIK_LEG} {{}}ToeBase",
        _FULL,
    ),
    "cmu_unity_humanoid.fbx": (
        "Neo_Hips Neo_Spine1 Neo_Spine2 Neo_Neck Neo_Head -",
        " ".join(f"Neo_{name}" for name in f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase".split()),
        _FULL,
    ),
    "mesh2motion_human_charleston.blend": ("pelvis spine_02 spine_03 neck_01 head -", _UNREAL, _LOW),
    "vrm_idle_loop.vrma": (
        "root torso_4 torso_7 neck_1 head -",
        "{}_shoulder {}_up_arm {}_low_arm {}_hand {}_up_leg {}_low_leg {}_foot {}_toes",
        _LOW,
    ),
    "json/bandai_namco.json": (
        "Hips Spine Chest Neck Head -",
        "Shoulder_{} UpperArm_{} LowerArm_{} Hand_{} UpperLeg_{} LowerLeg_{} Foot_{} Toes_{}",
        _SHORT,
    ),
    "json/geno_lafan1_resolved.json": (
        "Hips Spine1 Spine3 Neck Head HeadEnd",
        f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase",
        _FULL,
    ),
    "json/kinect_v2.json": (
        "SpineBase SpineMid SpineShoulder Neck Head -",
        "- Shoulder{} Elbow{} Wrist{} Hip{} Knee{} Ankle{} Foot{}",
        _FULL,
    ),
    "json/lafan1_subject2.json": ("Hips Spine1 Spine2 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} {{}}Toe", _FULL),
    "json/mblab.json": (
        "pelvis spine01 spine03 neck head -",
        "clavicle_{} upperarm_{} lowerarm_{} hand_{} thigh_{} calf_{} foot_{} toes_{}",
        _SHORT,
    ),
    "json/mpfb_rigify_human.json": ("spine spine.002 spine.004 spine.005 spine.006 -", _RIGIFY, _SHORT),
    "json/mpfb_rigify_human_toes.json": ("spine spine.002 spine.004 spine.005 spine.006 -", _RIGIFY, _SHORT),
    "json/mpfb_standard_cmu_mb.json": ("Hips Spine Spine1 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase", _FULL),
    "json/mpfb_standard_default.json": ("root spine03 spine01 neck01 head -", _MAKEHUMAN, _SHORT),
    "json/mpfb_standard_default_no_toes.json": ("root spine03 spine01 neck01 head -", _MAKEHUMAN, _SHORT),
    "json/mpfb_standard_game_engine.json": ("pelvis spine_01 spine_03 neck_01 head -", _UNREAL, _LOW),
    "json/mpfb_standard_game_engine_with_breast.json": ("pelvis spine_01 spine_03 neck_01 head -", _UNREAL, _LOW),
    "json/mpfb_standard_mixamo.json": (
        "mixamorig:Hips mixamorig:Spine mixamorig:Spine2 mixamorig:Neck mixamorig:Head -",
        " ".join(f"mixamorig:{name}" for name in f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase".split()),
        _FULL,
    ),
    "json/mpfb_standard_mixamo_unity.json": (
        "mixamorig:Hips mixamorig:Spine mixamorig:Spine2 mixamorig:Neck mixamorig:Head -",
        " ".join(f"mixamorig:{name}" for name in f"{_HIK_ARM} {_HIK_LEG} {{}}ToeBase".split()),
        _FULL,
    ),
    "json/mpfb_standard_openpose.json": (
        "MidHip - - Neck - -",
        "- {}Elbow {}Wrist - {}Knee {}Ankle {}BigToe -",
        _SHORT,
    ),
    "json/perception_neuron_PNS.json": ("Hips Spine1 Spine2 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} -", _FULL),
    "json/perception_neuron_PNS__Thumb_open.json": (
        "Hips Spine1 Spine2 Neck Head -",
        f"{_HIK_ARM} {_HIK_LEG} -",
        _FULL,
    ),
    "json/perception_neuron_PN_Pro.json": ("Hips Spine1 Spine3 Neck Head -", f"{_HIK_ARM} {_HIK_LEG} -", _FULL),
    "json/smpl.json": (
        "pelvis spine1 spine3 neck head -",
        "{}_collar {}_shoulder {}_elbow {}_wrist {}_hip {}_knee {}_ankle {}_foot",
        ("left", "right"),
    ),
    "json/unreal_mannequin.json": ("pelvis spine_01 spine_03 neck_01 head -", _UNREAL, _LOW),
    "json/vrm_humanoid.json": (
        "hips spine upperChest neck head -",
        "{}Shoulder {}UpperArm {}LowerArm {}Hand {}UpperLeg {}LowerLeg {}Foot {}Toes",
        ("left", "right"),
    ),
}


def _spell_out(trunk: str, sided: str, sides: tuple[str, str]) -> dict[str, str | None]:
    names = dict(zip(JOINTS[:6], trunk.split(), strict=True))
    for side, mark in zip(("left", "right"), sides, strict=True):
        bones = [name.format(mark) for name in sided.split()]
        names |= {f"{side}_{joint}": bone for joint, bone in zip(JOINTS[6:], bones, strict=True)}
    return {joint: None if bone == "-" else bone for joint, bone in names.items()}


TRUTH = {file: _spell_out(*row) for file, row in _ROWS.items()}
