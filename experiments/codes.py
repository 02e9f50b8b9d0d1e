"""Codes of public vocabularies for the record's own words. PURE.

Keys are the words that the record stores (see `experiments.vocabulary`), codes are CURIEs such as `CL:0000134`. A word
without an entry has no code of its own there: none is guessed. SEND terms are those of NCI EVS's controlled terminology
of 2026-03-27 (codelist, code and submission value).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MSC = "CL:0000134"
MSC_BY_TISSUE_SOURCE: Mapping[str, str] = MappingProxyType({
    "bone_marrow": "CL:0002540", "adipose": "CL:0002570", "wharton_jelly": "CL:0002568",
    "amniotic_membrane": "CL:0002537",
})  # fmt: skip
"""Mesenchymal stem cells of one tissue in the Cell Ontology; of every other tissue they are `MSC`."""

TISSUE: Mapping[str, str] = MappingProxyType({
    "bone_marrow": "UBERON:0002371", "adipose": "UBERON:0001013", "amniotic_membrane": "UBERON:0000305",
    "amniotic_fluid": "UBERON:0000173", "umbilical_cord": "UBERON:0002331", "cord_blood": "UBERON:0012168",
    "endometrium": "UBERON:0001295", "placenta": "UBERON:0001987", "skin": "UBERON:0002097", "ovary": "UBERON:0000992",
})  # fmt: skip
"""Tissues that cells are taken from, in Uberon."""

ORGAN: Mapping[str, str] = MappingProxyType({
    "ovary": "UBERON:0000992", "uterus": "UBERON:0000995", "lung": "UBERON:0002048", "liver": "UBERON:0002107",
    "spleen": "UBERON:0002106", "kidney": "UBERON:0002113", "heart": "UBERON:0000948", "brain": "UBERON:0000955",
    "bone_marrow": "UBERON:0002371", "blood": "UBERON:0000178", "skin": "UBERON:0002097",
})  # fmt: skip

STRAIN: Mapping[str, str] = MappingProxyType({"C57BL/6J": "MGI:3028467", "BALB/cJ": "MGI:2159737"})
"""By the exact name of the strain: a substrain is another one."""

AGENT: Mapping[str, str] = MappingProxyType({
    "cyclophosphamide": "CHEBI:4027", "busulfan": "CHEBI:28901", "cisplatin": "CHEBI:27899",
    "doxorubicin": "CHEBI:28748", "paclitaxel": "CHEBI:45863", "epirubicin": "CHEBI:47898", "ifosfamide": "CHEBI:5864",
    "d_galactose": "CHEBI:12936", "estradiol": "CHEBI:16469", "progesterone": "CHEBI:17026", "isoflurane": "CHEBI:6015",
    "buprenorphine": "CHEBI:3216",
})  # fmt: skip

DISEASE: Mapping[str, str] = MappingProxyType({"premature_ovarian_insufficiency": "DOID:5426"})


@dataclass(frozen=True, slots=True)
class SendTerm:
    """A term of SEND's controlled terminology: NCI code and submission value in a codelist."""

    codelist: str
    code: str
    value: str


def _terms(codelist: str, **terms: tuple[str, str]) -> Mapping[str, SendTerm]:
    return MappingProxyType({key: SendTerm(codelist, *term) for key, term in terms.items()})


SPECIES = _terms(
    "SPECIES",
    human=("C14225", "HUMAN"), mouse=("C14238", "MOUSE"), rat=("C160998", "RAT"), rabbit=("C14264", "RABBIT"),
    guinea_pig=("C14211", "GUINEA PIG"), pig=("C160991", "PIG"), sheep=("C14273", "SHEEP"), monkey=("C14243", "MONKEY"),
)  # fmt: skip
SEX = _terms("SEX", F=("C16576", "F"), M=("C20197", "M"), U=("C17998", "U"))
SIDE = _terms("LAT", L=("C25229", "LEFT"), R=("C25228", "RIGHT"))
ROUTE = _terms(
    "ROUTE",
    intravenous=("C38276", "INTRAVENOUS"), intraovarian=("C38256", "INTRAOVARIAN"),
    intrabursal=("C38226", "INTRABURSAL"), intraperitoneal=("C38258", "INTRAPERITONEAL"),
    intramuscular=("C28161", "INTRAMUSCULAR"), subcutaneous=("C38299", "SUBCUTANEOUS"),
    intrauterine=("C38272", "INTRAUTERINE"), oral_gavage=("C78374", "ORAL GAVAGE"), oral=("C38288", "ORAL"),
    intranasal=("C38284", "NASAL"),
)  # fmt: skip
SPECIMEN = _terms(
    "SPEC",
    ovary=("C12404", "OVARY"), uterus=("C12405", "UTERUS"), lung=("C12468", "LUNG"), liver=("C12392", "LIVER"),
    spleen=("C12432", "SPLEEN"), kidney=("C12415", "KIDNEY"), heart=("C12727", "HEART"), brain=("C12439", "BRAIN"),
    bone_marrow=("C12431", "BONE MARROW"), blood=("C41067", "WHOLE BLOOD"), skin=("C12470", "SKIN"),
    serum=("C13325", "SERUM"), plasma=("C13356", "PLASMA"),
)  # fmt: skip
TEST: Mapping[str, SendTerm] = MappingProxyType({
    **_terms("BWTESTCD", body_weight=("C81328", "BW")),
    **_terms(
        "LBTESTCD",
        e2=("C74782", "ESTRDIOL"), amh=("C120625", "AMH"), fsh=("C74783", "FSH"), lh=("C74790", "LH"),
        progesterone=("C74791", "PROGEST"), testosterone=("C74793", "TESTOS"), inhibin_a=("C82020", "INHIBINA"),
        inhibin_b=("C96681", "INHIBINB"), alt=("C64433", "ALT"), ast=("C64467", "AST"), creatinine=("C64547", "CREAT"),
    ),
    **_terms(
        "OMTESTCD",
        ovary_weight=("C25208", "WEIGHT"), uterus_weight=("C25208", "WEIGHT"), ovarian_index=("C90426", "OWBW"),
        uterus_index=("C90426", "OWBW"),
    ),
    **_terms(
        "PYTESTCD",
        pregnancy=("C69218", "PREGSTAT"), implantations=("C124631", "IMLNUM"), fetuses_live=("C124624", "FETLVNUM"),
        fetuses_dead=("C124620", "FETDENUM"), fetuses_resorbed=("C124637", "RSRPNUM"),
    ),
    **_terms("MITESTCD", estrous_stage=("C186257", "RCPMIQL")),
    **_terms("TFTESTCD", tumour=("C90479", "TUMEX")),
})  # fmt: skip
"""Tests by the key of the endpoint. An organ's weight is one test for every organ: the specimen says which."""

UNIT: Mapping[str, SendTerm] = MappingProxyType({
    unit: SendTerm("UNIT", code, value)
    for unit, code, value in (
        ("%", "C25613", "%"), ("kg", "C28252", "kg"), ("g", "C48155", "g"), ("mg", "C28253", "mg"), ("µg", "C48152", "ug"),
        ("ng", "C48516", "ng"), ("pg", "C64551", "pg"), ("L", "C48505", "L"), ("mL", "C28254", "mL"),
        ("µL", "C48153", "uL"), ("mg/kg", "C67401", "mg/kg"), ("µg/kg", "C67396", "ug/kg"), ("mg/g", "C69104", "g/kg"),
        ("mL/kg", "C67411", "mL/kg"), ("IU/kg", "C67379", "IU/kg"), ("ng/mL", "C67306", "ug/L"),
        ("µg/L", "C67306", "ug/L"), ("pg/mL", "C67327", "ng/L"), ("ng/L", "C67327", "ng/L"), ("mg/mL", "C42576", "g/L"),
        ("g/L", "C42576", "g/L"), ("µg/mL", "C64572", "mg/L"), ("mg/L", "C64572", "mg/L"), ("pmol/L", "C67434", "pmol/L"),
        ("nmol/L", "C67432", "nmol/L"), ("µmol/L", "C48508", "umol/L"), ("mmol/L", "C64387", "mmol/L"),
        ("IU", "C48579", "IU"), ("IU/L", "C67376", "IU/L"), ("mIU/mL", "C67376", "IU/L"), ("IU/mL", "C67377", "IU/mL"),
        ("mIU/L", "C67405", "mIU/L"), ("U/L", "C67456", "U/L"), ("EU", "C96599", "EU"), ("Gy", "C18063", "Gy"),
        ("cGy", "C64693", "cGy"), ("h", "C25529", "HOURS"), ("days", "C25301", "DAYS"), ("weeks", "C29844", "WEEKS"),
        ("/mm²", "C122199", "/mm2"), ("cells", "C187669", "Therapeutic Cells"),
        ("10^3 cells", "C187975", "10^3 Therapeutic Cells"), ("10^5 cells", "C187971", "10^5 Therapeutic Cells"),
        ("10^6 cells", "C187973", "10^6 Therapeutic Cells"), ("10^9 cells", "C187998", "10^9 Therapeutic Cells"),
    )
})  # fmt: skip
"""Units by the record's spelling. Where the terminology has only an equal unit (ng/mL is its ug/L), that one stands."""


def cells_code(cell_type: str, tissue_source: str) -> str | None:
    """The Cell Ontology's class of cultured cells; None for cells other than mesenchymal stromal ones."""
    return MSC_BY_TISSUE_SOURCE.get(tissue_source, MSC) if cell_type == "msc" else None
