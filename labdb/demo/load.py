"""Loads the demo study through REST: the design, the sheet, the plates, the tally; then waits for the worker.

Every step looks first whether it was done, so that a second run, or one after an interruption, goes on where the first
one stood.
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from labdb.demo import files
from labdb.demo.client import JOB_SECONDS, Client, Refused, Row
from labdb.demo.study import ARMS, DAY_0, FOLLICLE_DAY, SEED, WEIGHING_DAYS, simulate

CODE = "DEMO"
KIT_LOT = "SIM-1"
TEMPLATE_NAME = "Demo: one row a mouse"
TEMPLATE = {
    "name": TEMPLATE_NAME,
    "kind": "animals",
    "version": 1,
    "date_formats": ["%Y-%m-%d"],
    "columns": {
        "experiment": "Experiment",
        "animal": "Mouse",
        "sex": "Sex",
        "born_on": "Born",
        "strain": "Strain",
        "litter": "Litter",
        "cage": "Cage",
        "arm": "Group",
        "day_0": "Day 0",
    },
    "weighings": {"patterns": ["d{day}"], "unit": "g"},
    "dispositions": {"humane endpoint": "humane_endpoint"},
    "ignored": [],
}


class Loader:
    """One run of the loading; ``say`` prints a line of progress."""

    def __init__(self, client: Client, say: Callable[[str], None]) -> None:
        self.client, self.say = client, say
        self.mice = simulate()
        self.experiment: Row = {}

    def load(self) -> Row:
        """Everything, in order. Returns the finished report's row."""
        self.experiment = self._open_experiment()
        self._import_animals()
        self._upload_plates(files.E2, SEED + 1)
        self._upload_plates(files.AMH, SEED + 2)
        self._upload_tally()
        self.wait_for_summaries()
        return self._make_report()

    @property
    def id(self) -> str:
        return str(self.experiment["id"])

    def _open_experiment(self) -> Row:
        found = self.client.one("experiments", code=CODE)
        if found is None:
            self.say("opening the experiment: six arms, planned study days (simulated data, open-label)")
            found = self.client.post(
                "experiments",
                {
                    "code": CODE,
                    "title": "UC-MSC and their EV in chemotherapy-induced POI (simulated)",
                    "masking": "open_label",
                    "is_simulated": True,
                    "status": "running",
                    "hypothesis": "UC-MSC and their EV restore oestradiol and the follicle reserve after chemotherapy.",
                    "primary_endpoint": self._endpoint("e2"),
                    "day_0_definition": "cyclophosphamide 120 mg/kg + busulfan 12 mg/kg IP",
                },
            )
        self._add_arms(found["id"])
        have = {point["study_day"] for point in self.client.rows("timepoints", experiment=found["id"])}
        for day in WEIGHING_DAYS:
            if day not in have:
                self.client.post("timepoints", {"experiment": found["id"], "label": f"day {day}", "study_day": day})
        return found

    def admit(self, username: str, role: str) -> None:
        """Have the person take part, unless they do."""
        person = self.client.one("people", username=username)
        if person and not self.client.one("memberships", experiment=self.id, user=person["id"]):
            self.client.post("memberships", {"experiment": self.id, "user": person["id"], "role": role})

    def _add_arms(self, experiment: str) -> None:
        known = {arm["label"]: arm["id"] for arm in self.client.rows("arms", experiment=experiment)}
        for arm in sorted(ARMS, key=lambda arm: (arm.reference is not None, arm.reference not in known)):
            if arm.label in known:
                continue
            body: Row = {"experiment": experiment, "label": arm.label, "kind": arm.kind, "description": arm.description}
            body |= {"position": ARMS.index(arm) + 1, "planned_n": 12}
            if arm.reference:
                body["reference"] = known[arm.reference]
            known[arm.label] = self.client.post("arms", body)["id"]

    def _import_animals(self) -> None:
        if self.client.one("enrolments", experiment=self.id):
            return
        template = self.client.one("import-templates", name=TEMPLATE_NAME)
        if template is None:
            template = self.client.post(
                "import-templates", {"name": TEMPLATE_NAME, "kind": "animals", "mapping": TEMPLATE}
            )
        self.say("importing the sheet of animals: one weight in it is mistyped")
        run = self._check_sheet("animals.xlsx", files.animals_workbook(self.mice), template["id"])
        for problem in self._problems(run):
            self.say(f"    {problem['message']}")
        self.client.post(f"import-runs/{run['id']}/discard")
        self.say("importing the sheet once more, with that weight corrected")
        corrected = files.animals_workbook(self.mice, is_corrected=True)
        run = self._check_sheet("animals-corrected.xlsx", corrected, template["id"])
        taken = self.client.post(f"import-runs/{run['id']}/take", {"valid_rows_only": False})
        self.client.wait_for_job(taken["job"])

    def _check_sheet(self, name: str, data: bytes, template: str) -> Row:
        run: Row = self.client.send("import-runs", {"template": template}, {"file": (name, data)})
        self.client.wait_for_job(run["job"])
        return run

    def _problems(self, run: Row) -> list[Any]:
        rows = self.client.rows("import-rows", run=run["id"], is_valid="false")
        return [problem for row in rows for problem in row["problems"]]

    def _upload_plates(self, kit: files.Kit, seed: int) -> None:
        endpoint = self._endpoint(kit.endpoint)
        run = self._own_run(kind="elisa", endpoint=endpoint)
        made = files.plate_run(kit, self.mice, seed)
        if run is None:
            self.say(f"receiving {len(made.truth)} specimens and their {kit.endpoint.upper()} plates")
            self._add_specimens(kit)
            fields = {"experiment": self.id, "endpoint": endpoint, "kind": "elisa"}
            fields |= {"kit_name": f"{kit.endpoint.upper()} ELISA (simulated)", "kit_lot": KIT_LOT}
            fields["parameters"] = json.dumps({"curve_scope": "plate", "unit": kit.unit})
            layout = (f"{kit.endpoint}-layout.csv", made.layout_csv.encode())
            received = {"file": (f"{kit.endpoint}-plates.txt", made.reader_file), "layout": layout}
            run = self.client.send("assay-runs", fields, received)
        self._accept_and_publish(run, "simulated: curve and standards looked at")

    def _own_run(self, **about: str) -> Row | None:
        """The run that this loader uploaded: whatever a visitor has uploaded since is left alone."""
        runs = self.client.rows("assay-runs", experiment=self.id, **about)
        return next((run for run in reversed(runs) if run["kit_lot"] == KIT_LOT), None)

    def _add_specimens(self, kit: files.Kit) -> None:
        animals = {row["lab_id"]: row["id"] for row in self.client.rows("animals", enrolments__experiment=self.id)}
        have = {row["code"] for row in self.client.rows("specimens", experiment=self.id)}
        timepoint = self._timepoint(kit.day)
        collected = f"{DAY_0 + timedelta(kit.day)}T09:00:00Z"
        for mouse in self.mice:
            code = files.specimen_code(mouse, kit)
            if mouse.died_on_day is None and code not in have:
                body = {"experiment": self.id, "animal": animals[mouse.lab_id], "code": code, "timepoint": timepoint}
                body |= {"collected_at": collected, "is_haemolysed": mouse.lab_id == files.HAEMOLYSED}
                self.client.post("specimens", body)

    def _upload_tally(self) -> None:
        run = self._own_run(kind="follicle_count")
        if run is None:
            self.say("receiving the tally of follicles")
            fields = {
                "experiment": self.id,
                "kind": "follicle_count",
                "kit_lot": KIT_LOT,
                "timepoint": self._timepoint(FOLLICLE_DAY),
            }
            fields["parameters"] = json.dumps({"every_nth": files.EVERY_NTH})
            run = self.client.send("assay-runs", fields, {"file": ("follicles.csv", files.tally_csv(self.mice))})
        self._accept_and_publish(run, "simulated: both ovaries counted")

    def _accept_and_publish(self, run: Row, reason: str) -> None:
        place = f"assay-runs/{run['id']}"
        if run["state"] == "draft":
            self.client.wait_for_job(run["job"])
            run = self.client.get(place)
        if run["state"] == "quantified":
            run = self.client.post(f"{place}/accept", {"reason": reason})
        if run["state"] == "accepted":
            self.client.post(f"{place}/publish")

    def wait_for_summaries(self) -> None:
        """Until the worker has summarised what was last published; nobody asks it to."""
        self.say("waiting for the worker's outcome summaries")
        until = time.monotonic() + JOB_SECONDS
        while time.monotonic() < until:
            if not self.client.get(f"experiments/{self.id}")["is_stale"]:
                return
            time.sleep(0.5)
        raise Refused(f"No fresh summary within {JOB_SECONDS} s.")

    def summary(self) -> list[Row]:
        return list(self.client.get(f"experiments/{self.id}/summary")["summaries"])

    def _make_report(self) -> Row:
        report = self.client.one("reports", experiment=self.id, rendered_at__isnull="false")
        if report is None:
            self.say("waiting for the report")
            report = self.client.post("reports", {"experiment": self.id, "kind": "outcome"})
            self.client.wait_for_job(report["job"])
        return self.client.get(f"reports/{report['id']}")

    def _endpoint(self, key: str) -> str:
        found = self.client.one("endpoints", key=key)
        assert found is not None, key
        return str(found["id"])

    def _timepoint(self, day: int) -> str:
        found = self.client.one("timepoints", experiment=self.id, study_day=day)
        assert found is not None, day
        return str(found["id"])
