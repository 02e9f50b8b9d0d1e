"""Plate-reader files written by the tests themselves, in the formats of the instruments."""

from collections.abc import Callable, Sequence

ROWS = "ABCDEFGH"
COLUMNS = range(1, 13)

Od = Callable[[str, int], str]


def softmax(blocks: Sequence[str], promised: int | None = None) -> str:
    """A SoftMax Pro export of these blocks."""
    count = len(blocks) if promised is None else promised
    body = "".join(f"{block}\n~End\n" for block in blocks)
    return f"##BLOCKS= {count}\n{body}Original Filename: made; Date Last Saved: 1/1/2024\n"


def plate_header(
    label: str = "Plate1",
    layout: str = "PlateFormat",
    data_type: str = "Raw",
    wavelengths: str = "450",
    read_type: str = "Endpoint",
    mode: str = "Absorbance",
    size: tuple[int, int, int, int, int] = (1, 12, 96, 1, 8),
) -> str:
    """The header line of a plate block; `size` is first column, columns, wells, first row, rows."""
    first_column, columns, wells, first_row, rows = size
    count = len(wavelengths.split())
    fields = [
        "Plate:", label, "1.3", layout, read_type, mode, data_type, "FALSE", "1", "", "", "", "", "", str(count),
        f"{wavelengths} ", str(first_column), str(columns), str(wells), str(first_row), str(rows),
    ]  # fmt: skip
    return "\t".join(fields)


def by_plate(od: Od, wavelengths: int = 1) -> str:
    """A PlateFormat block of 96 wells; with several wavelengths, they stand side by side."""
    heading = "\tTemperature(°C)\t" + "\t\t".join("\t".join(str(c) for c in COLUMNS) for _ in range(wavelengths))
    lines = [plate_header(), heading]
    for index, row in enumerate(ROWS):
        cells = "\t\t".join("\t".join(od(row, c) for c in COLUMNS) for _ in range(wavelengths))
        lines.append(f"\t{'21.5' if index == 0 else ''}\t{cells}")
    return "\n".join(lines) + "\n"


def by_well(od: Od, reduced: bool = False) -> str:
    """A TimeFormat block of 96 wells in one row, raw or reduced."""
    wells = "\t".join(f"{row}{c}" for row in ROWS for c in COLUMNS)
    cells = "\t".join(od(row, c) for row in ROWS for c in COLUMNS)
    head = plate_header(layout="TimeFormat", data_type="Reduced" if reduced else "Raw")
    first = "\t" if reduced else "\tTemperature(°C)"
    return f"{head}\n{first}\t{wells}\t\n\t{'' if reduced else '21.5'}\t{cells}\t\n"


def group(
    name: str, heading: Sequence[str], rows: Sequence[Sequence[str]], formulas: Sequence[Sequence[str]] = ()
) -> str:
    """A group block: its rows and the table of column formulas (number, name, formula)."""
    lines = [f"Group: {name}", "\t".join(heading), *("\t".join(row) for row in rows), ""]
    lines += ["Group Column\tFormula Name\tFormula\tPrecision\tNotation"]
    lines += ["\t".join((*formula, "3 DP", "Numeric")) for formula in formulas]
    return "\n".join([*lines, "", "Group Summaries"])


def four_pl(x: float, a: float = 0.05, b: float = 1.1, c: float = 120.0, d: float = 3.2) -> float:
    """A known curve for made-up plates."""
    return d + (a - d) / (1 + (x / c) ** b)


LEVELS = (320.0, 160.0, 80.0, 40.0, 20.0, 10.0, 5.0, 0.0)
FORMULAS = (
    ("1", "Sample", "!SampleNames"),
    ("2", "Conc", "!SampleDescriptor"),
    ("3", "Wells", "!WellIDs"),
    ("4", "OD", "!WellValues"),
)


def elisa_od(row: str, column: int) -> str:
    """Standards in columns 1 and 2 (320 … 0), samples of 30, 1000 (above) and 1 (below) in columns 3 to 5."""
    level = LEVELS[ROWS.index(row)]
    x = {1: level, 2: level, 3: 30.0, 4: 1000.0, 5: 1.0}.get(column, 0.0)
    return f"{four_pl(x) + (0.0005 if column == 2 else 0.0):.6f}"


def elisa_file(masked: bool = False, promised: int | None = None) -> str:
    """A complete run: eight standards in duplicate and three samples in column 3 to 5, rows A and B."""
    standards = []
    for row, level in zip(ROWS, LEVELS, strict=True):
        second = "Masked" if masked and row == "A" else elisa_od(row, 2)[:5]
        standards.append((f"St{ROWS.index(row) + 1}", f"{level:.3f}", f"{row}1", elisa_od(row, 1)[:5], "Plate1"))
        standards.append((" ", " ", f"{row}2", second, "Plate1"))
    samples = [(f"S{c}", "10.0", f"A{c}", elisa_od("A", c)[:5], "Plate1") for c in (3, 4, 5)]
    samples += [(f"S{c}", " ", f"B{c}", elisa_od("B", c)[:5], "Plate1") for c in (3, 4, 5)]
    ordered = sorted(samples, key=lambda row: (row[0], row[2]))
    heading = ("Sample", "Conc ng/mL", "Wells", "OD", "WellPlateName")
    diluted = ("Sample", "DilutionFactor", "Wells", "OD", "WellPlateName")
    return softmax(
        [
            by_plate(elisa_od),
            group("Standards", heading, standards, FORMULAS),
            group(
                "Unknowns", diluted, ordered, (FORMULAS[0], ("2", "DilutionFactor", "!SampleDescriptor"), *FORMULAS[2:])
            ),
        ],
        promised,
    )


GEN5_HEAD = (
    "\n\nSoftware Version\t3.12.08\n\n\n\nExperiment File Path:\tmade.xpt\nProtocol File Path:\tmade.prt\n\n\n\n"
    "Plate Number\t{plate}\nDate\t1/2/2024\nTime\t9:00:00 AM\nReader Type:\tn/a\nReader Serial Number:\tn/a\n"
    "Reading Type\tReader\n\nProcedure Details\n\nPlate Type\t96 WELL PLATE (Use plate lid)\n{reads}\n"
)
GEN5_READ = "Read\tod\n\t{kind}\n\tFull Plate\n\tWavelengths:  450\n\tRead Speed: Normal,  Delay: 100 msec\n"


def gen5(results: str, layout: str = "", plate: str = "Plate 1", kind: str = "Absorbance Endpoint") -> str:
    """A Gen5 export of one plate."""
    head = GEN5_HEAD.format(plate=plate, reads=GEN5_READ.format(kind=kind))
    return f"{head}{layout}Results\n\t" + "\t".join(str(c) for c in COLUMNS) + f"\n{results}\n"


def gen5_rows(od: Od, label: str = "od:450") -> str:
    """The rows of a result matrix."""
    return "\n".join(f"{row}\t" + "\t".join(od(row, c) for c in COLUMNS) + f"\t{label}" for row in ROWS)


def gen5_layout() -> str:
    """STD1 to STD7 and blanks in columns 1 to 3, samples at 1 and 0.5 elsewhere."""
    lines = ["Layout\n\t" + "\t".join(str(c) for c in COLUMNS)]
    for i, row in enumerate(ROWS):
        first = f"STD{i + 1}" if i < 7 else "BLK"
        typed = f"{LEVELS[i]:g}" if i < 7 else ""
        sample = [f"SPL{c}:{i % 2 + 1}" for c in COLUMNS if c > 3]
        lines.append(f"{row}\t" + "\t".join([first] * 3 + sample) + "\tWell ID")
        lines.append("\t" + "\t".join([typed] * 3 + ["1" if i % 2 == 0 else "0.5"] * 9) + "\tConc/Dil")
    return "\n".join(lines) + "\n\n"
