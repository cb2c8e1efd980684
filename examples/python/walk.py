"""An old woman is assisted with her old-age allowance (帮办), from the first contact to the ledger.

    AGENT_TOKEN=… CLOCK_TOKEN=… python walk.py [--address HOST:PORT] [--ca FILE …] [--ledger FILE]
"""

import argparse
import os
import uuid

import contracts as c
from caller import ATTEMPTS, Caller, Refusal, channel

DISTRICT = "zigui"
SITE = "yandengbao-village-station"
ITEM = "old-age-allowance"
DEPARTMENT = "秭归县民政局"

# She and her identity card are invented.
NAME, DOCUMENT, TELEPHONE = "林桂娥", "42052719440308002X", "13900000082"

WINDOW, ONLINE = c.types.CHANNEL_WINDOW, c.types.CHANNEL_ONLINE


def say(text):
    print(text, flush=True)


class Walk:
    def __init__(self, channel, agent, clock):
        self.agent, self.clock, self.public = Caller(agent), Caller(clock), Caller()
        self.cases = c.casework_stubs.CaseServiceStub(channel)
        self.ledgers = c.casework_stubs.LedgerServiceStub(channel)
        self.applicants = c.applicant_stubs.ApplicantServiceStub(channel)
        self.catalogue = c.catalogue_stubs.CatalogueServiceStub(channel)
        self.clocks = c.clock_stubs.ClockServiceStub(channel)
        self.case = None
        # What the next answer must have seen: the position of the last act, in whichever service.
        self.after = ""

    def act(self, method, **fields):
        """A command on the case as it was read. When it has changed meanwhile, it is read again and decided again."""
        for attempt in range(1, ATTEMPTS + 1):
            request = getattr(c.casework, f"{method}Request")(
                district=DISTRICT,
                request_id=str(uuid.uuid4()),
                case=self.case.id,
                etag=self.case.etag,
                after=self.after,
                **fields,
            )
            try:
                change = self.agent.ask(getattr(self.cases, method), request)
            except Refusal as refusal:
                if refusal.reason not in ("STALE_ETAG", "CHANGED_MEANWHILE") or attempt == ATTEMPTS:
                    raise
                self.read()
                continue
            self.case, self.after = change.case, change.position
            return

    def read(self):
        request = c.casework.GetCaseRequest(district=DISTRICT, case=self.case.id, after=self.after)
        self.case = self.agent.ask(self.cases.GetCase, request)

    def days_go_by(self, days):
        """Moves the demonstration clock; casework must have seen it before it acts again."""
        request = c.clock.AdvanceClockRequest(request_id=str(uuid.uuid4()), by={"seconds": days * 86_400})
        answer = self.clock.ask(self.clocks.AdvanceClock, request)
        self.after = answer.position
        self.read()
        say(f"   {days} d later (演示时钟): {answer.now.ToJsonString()}")
        return answer.now

    def number(self, kind):
        return f"{kind}-{self.case.receipt}"

    def open(self):
        request = c.applicant.FindApplicantsRequest(
            district=DISTRICT, document_kind=c.applicant.DOCUMENT_KIND_RESIDENT_ID, document=DOCUMENT
        )
        known = self.agent.ask(self.applicants.FindApplicants, request).applicants
        if known:
            applicant = known[0]
        else:
            request = c.applicant.RegisterApplicantRequest(
                district=DISTRICT,
                request_id=str(uuid.uuid4()),
                name=NAME,
                document_kind=c.applicant.DOCUMENT_KIND_RESIDENT_ID,
                document=DOCUMENT,
                telephone=TELEPHONE,
            )
            change = self.agent.ask(self.applicants.RegisterApplicant, request)
            applicant, self.after = change.applicant, change.position
        request = c.casework.OpenCaseRequest(
            district=DISTRICT,
            request_id=str(uuid.uuid4()),
            after=self.after,
            applicant=applicant.id,
            item=ITEM,
            site=SITE,
            channel=WINDOW,
            mode=ONLINE,
            kind=c.case.CASE_KIND_ASSIST,
        )
        change = self.agent.ask(self.cases.OpenCase, request)
        self.case, self.after = change.case, change.position
        say(f"1. {applicant.name_mask} comes; case {self.case.receipt} is opened (首问负责).")
        # The answer was lost, say: the same request again makes no second case.
        again = self.agent.ask(self.cases.OpenCase, request)
        assert again.case.id == self.case.id
        say("   The same request again: the same case.")

    def notice_and_consent(self):
        self.act("GiveNotice", channel=WINDOW, receipt="申请人按手印确认")
        say("2. The one-time notice is given (一次性告知).")
        try:
            self.act("PassPreCheck")
        except Refusal as refusal:
            say(f"   Refused: {refusal}")
        self.act(
            "RecordConsent",
            kind=c.case.CONSENT_KIND_ASSISTANCE,
            form=c.case.CONSENT_FORM_ORAL,
            witness="村委会值班干部（示例）",
        )
        say("3. She agrees to be assisted, before a witness (自愿).")

    def take(self, material, supply):
        original = material.form in (c.catalogue.MATERIAL_FORM_ORIGINAL, c.catalogue.MATERIAL_FORM_ORIGINAL_AND_COPY)
        copied = material.form != c.catalogue.MATERIAL_FORM_ORIGINAL
        self.act(
            "TakeMaterial",
            material=material.code,
            supply=supply,
            is_valid=True,
            originals=1 if original else 0,
            copies=material.copies if copied else 0,
            receipt=f"收件回执 {material.code}" if original else "",
        )

    def materials(self):
        request = c.catalogue.GetItemRequest(district=DISTRICT, item=ITEM, version=self.case.item_version)
        item = self.public.ask(self.catalogue.GetItem, request)
        required = [m for m in item.materials if m.is_required]
        form = next(m for m in required if m.is_on_the_spot)
        for material in required:
            if material.code != form.code:
                self.take(material, c.case.SUPPLY_FORM_BROUGHT)
        missing = c.case.MissingMaterial(code=form.code, reason="尚未填写", can_be_done_on_the_spot=True)
        self.act("ListMissingMaterials", materials=[missing])
        say(f"4. All that is missing is listed once (一次性列出): {form.name}.")
        self.take(form, c.case.SUPPLY_FORM_ON_THE_SPOT)
        self.act("PassPreCheck")
        say("5. It is filled in on the spot (当场补齐); the pre-check has passed (预审通过).")

    def file(self):
        for step in ("REAL_NAME_REGISTERED", "MATERIALS_UPLOADED", "APPLICATION_COMPLETED", "TOLD_ONCE"):
            self.act("RecordModeStep", step=f"MODE_STEP_{step}", remark="申请人在场")
        self.act("FileApplication", applicant_signed=True)
        say("6. She files online and signs herself (网上帮办，本人签名).")
        for material in self.case.materials:
            if material.originals and not material.HasField("returned_at"):
                self.act("ReturnMaterial", material=material.code, receipt="申请人按手印签收")
        self.act("ReportDepartmentStatus", number=self.number("MZ"), status="已收件")

    def department(self):
        now = self.days_go_by(1)
        self.act(
            "ReportAcceptance",
            number=self.number("SL"),
            accepted_at=now,
            issuer=DEPARTMENT,
            proof=f"受理通知书 {self.number('SL')}",
        )
        request = c.casework.ExplainDueTimeRequest(
            district=DISTRICT, case=self.case.id, clock="decision", after=self.after
        )
        why = self.agent.ask(self.cases.ExplainDueTime, request)
        say(f"7. {DEPARTMENT} accepts (受理). {why.sentence.zh} / {why.sentence.en}")
        now = self.days_go_by(6)
        self.act(
            "ReportDecision",
            outcome=c.case.DECISION_OUTCOME_GRANTED,
            number=self.number("JD"),
            decided_at=now,
            issuer=DEPARTMENT,
            proof=f"审定决定书 {self.number('JD')}",
        )
        say("8. It grants the allowance (准予发放).")

    def finish(self):
        self.act(
            "DeliverResult",
            means=c.case.DELIVERY_MEANS_IN_PERSON,
            identity_check="核对本人居民身份证",
            proof="申请人按手印签收",
        )
        self.act("PromptEvaluation", channel=WINDOW, opinion="没有多跑路")
        self.act("FileAway")
        say(f"9. Delivered, evaluated, filed away (送达、评价、归档): {self.case.act_count} acts.")
        request = c.casework.GetProgressRequest(
            district=DISTRICT, receipt=self.case.receipt, document_end=DOCUMENT[-6:]
        )
        progress = self.public.ask(self.cases.GetProgress, request)
        state = c.case.CaseState.Name(progress.state)
        say(f"10. From home, without a token (进度查询): {state}, {len(progress.steps)} steps.")

    def ledger(self, file):
        request = c.casework.ExportLedgerRequest(district=DISTRICT, case=self.case.id, after=self.after)
        parts = self.agent.read(self.ledgers.ExportLedger, request)
        lines = [line for part in parts for line in part.lines]
        if file:
            with open(file, "w", encoding="utf-8") as out:
                out.writelines(f"{line}\n" for line in lines)
        say(f"11. The ledger (台账): {len(lines)} lines{f', in {file}' if file else ''}.")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--address", default="127.0.0.1:7400", help="where bangban listens")
    options.add_argument("--ca", help="TLS: certificates of the authorities that the server's is of (PEM)")
    options.add_argument("--certificate", help="TLS: certificate of one's own, where the server wants one (PEM)")
    options.add_argument("--key", help="TLS: its private key (PEM)")
    options.add_argument("--name", help="TLS: the name in the server's certificate, where it is not the address")
    options.add_argument("--ledger", help="file for the ledger of the case")
    o = options.parse_args()
    missing = [name for name in ("AGENT_TOKEN", "CLOCK_TOKEN") if not os.environ.get(name)]
    if missing:
        raise SystemExit(f"Set {' and '.join(missing)}: README.md says how `bangban token` signs them.")
    with channel(o.address, o.ca, o.certificate, o.key, o.name) as open_channel:
        walk = Walk(open_channel, os.environ["AGENT_TOKEN"], os.environ["CLOCK_TOKEN"])
        try:
            walk.open()
            walk.notice_and_consent()
            walk.materials()
            walk.file()
            walk.department()
            walk.finish()
            walk.ledger(o.ledger)
        except Refusal as refusal:
            raise SystemExit(f"{refusal} {refusal.fields or ''}")


if __name__ == "__main__":
    main()
