"""Lists of allowed words that the laboratory may extend. PURE.

A word on which a rule hangs is no entry here but a choice of its model.

Each list maps a key, which is stored, to the words that people read. ``experiments.models.terms.Term`` adds the laboratory's own.
"""

BUILT_IN: dict[str, dict[str, str]] = {
    "species": {
        "human": "human", "mouse": "mouse", "rat": "rat", "rabbit": "rabbit", "guinea_pig": "guinea pig", "pig": "pig",
        "sheep": "sheep", "goat": "goat", "monkey": "monkey", "unknown": "unknown",
    },
    "tissue_source": {
        "bone_marrow": "bone marrow", "adipose": "adipose tissue", "amniotic_membrane": "amniotic membrane",
        "amniotic_fluid": "amniotic fluid", "umbilical_cord": "umbilical cord", "wharton_jelly": "Wharton's jelly",
        "cord_blood": "cord blood", "menstrual_blood": "menstrual blood", "endometrium": "endometrium",
        "placenta": "placenta", "chorionic_plate": "chorionic plate", "skin": "skin", "ovary": "ovary",
        "peripheral_blood": "peripheral blood", "dental_pulp": "dental pulp", "urine": "urine",
        "ipsc": "induced pluripotent stem cells", "esc": "embryonic stem cells",
    },
    "cell_type": {
        "msc": "mesenchymal stromal cells", "epithelial": "epithelial cells", "stromal": "stromal cells",
        "endometrial_stem": "endometrial stem cells", "ovarian_stem": "ovarian stem cells", "ipsc_derived": "iPSC-derived cells",
        "esc_derived": "ESC-derived cells", "granulosa": "granulosa cells", "fibroblast": "fibroblasts",
        "amniotic_fluid_stem": "amniotic fluid stem cells", "mononuclear": "mononuclear cells",
    },
    "isolation_method": {
        "explant": "explant", "collagenase": "collagenase digestion", "trypsin": "trypsin digestion",
        "density_gradient": "density gradient", "adherence": "plastic adherence", "differentiation": "differentiation",
        "purchased": "purchased",
    },
    "serum_supplement": {
        "fbs": "fetal bovine serum", "hpl": "human platelet lysate", "human_serum": "human serum", "none": "none",
    },
    "route": {
        "intravenous": "intravenous", "intraovarian": "intraovarian", "intrabursal": "intrabursal",
        "intraperitoneal": "intraperitoneal", "intramuscular": "intramuscular", "subcutaneous": "subcutaneous",
        "subrenal": "under the renal capsule", "retrograde_tubal": "retrograde through the oviduct",
        "intrauterine": "intrauterine", "orthotopic_graft": "orthotopic graft", "oral_gavage": "oral gavage",
        "oral": "oral", "intranasal": "intranasal", "whole_body": "whole body", "local_field": "local field",
    },
    "site": {
        "tail_vein": "tail vein", "retro_orbital": "retro-orbital", "ear_vein": "ear vein", "jugular_vein": "jugular vein",
        "left_ovary": "left ovary", "right_ovary": "right ovary", "both_ovaries": "both ovaries", "left_flank": "left flank",
        "right_flank": "right flank", "pelvis": "pelvis", "oviduct": "oviduct", "uterine_horn": "uterine horn",
        "ovarian_bursa": "ovarian bursa", "renal_capsule": "renal capsule",
    },
    "induction_model": {
        "chemotherapy": "chemotherapy", "autoimmune": "autoimmune", "irradiation": "irradiation",
        "plant_glycosides": "plant glycosides", "d_galactose": "D-galactose", "vcd": "4-vinylcyclohexene diepoxide",
        "genetic": "genetic", "surgical": "surgical", "natural_ageing": "natural ageing",
    },
    "agent": {
        "cyclophosphamide": "cyclophosphamide", "busulfan": "busulfan", "cisplatin": "cisplatin",
        "doxorubicin": "doxorubicin", "paclitaxel": "paclitaxel", "epirubicin": "epirubicin", "ifosfamide": "ifosfamide",
        "zona_pellucida_peptide": "zona pellucida peptide (pZP3)",
        "freund_adjuvant": "Freund's adjuvant", "x_rays": "X-rays", "cs_137": "¹³⁷Cs γ rays",
        "co_60": "⁶⁰Co γ rays", "tripterygium_glycosides": "tripterygium glycosides", "d_galactose": "D-galactose",
        "vcd": "4-vinylcyclohexene diepoxide", "estradiol": "estradiol", "progesterone": "progesterone",
        "saline": "0.9 % saline", "pbs": "PBS",
        "isoflurane": "isoflurane", "ketamine_xylazine": "ketamine and xylazine", "avertin": "tribromoethanol",
        "pentobarbital": "pentobarbital", "buprenorphine": "buprenorphine", "meloxicam": "meloxicam",
        "carprofen": "carprofen", "none": "none",
    },
    "cryoprotectant": {
        "dmso_10": "10 % DMSO", "dmso_5": "5 % DMSO", "commercial": "commercial medium", "trehalose": "trehalose",
        "none": "none",
    },
    "organ": {
        "ovary": "ovary", "uterus": "uterus", "lung": "lung", "liver": "liver", "spleen": "spleen", "kidney": "kidney",
        "heart": "heart", "brain": "brain", "bone_marrow": "bone marrow", "blood": "blood", "muscle": "muscle",
        "skin": "skin", "other": "other",
    },
    "adverse_event": {
        "embolism": "embolism", "infection": "infection", "haemorrhage": "haemorrhage", "weight_loss": "weight loss",
        "wound": "wound", "anaesthetic": "anaesthetic incident", "behaviour": "behaviour", "other": "other",
    },
}  # fmt: skip


def label(vocabulary: str, key: str) -> str:
    """What people read for ``key``; a word of the laboratory's own is read as it is kept."""
    return BUILT_IN[vocabulary].get(key, key.replace("_", " "))
