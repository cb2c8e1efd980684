"""Runs due-times.json against a second implementation that shares nothing with the Rust one.

    pip install chinesecalendar==1.11.0 && python3 check.py

National days come from chinesecalendar; 2027 has no notice, so its statutory holidays stand below, by hand.
"""

import datetime as dt
import json
import pathlib
import sys

import chinese_calendar.constants as national

DAY = dt.timedelta(days=1)
ZONE = dt.timezone(dt.timedelta(hours=8))
# Weekdays off in 2027: New Year's Day; eve and third day of the festival and the make-ups of its Saturday and Sunday;
# Qingming; make-ups of Labour Day (Sat, Sun); Dragon Boat; Mid-Autumn; National Day and the make-ups of its Sat and Sun.
OFF_2027 = {(1, 1), (2, 5), (2, 8), (2, 9), (2, 10), (4, 5), (5, 3), (5, 4), (6, 9), (9, 15), (10, 1), (10, 4), (10, 5)}
REST = {"WEEKEND", "HOLIDAY", "PROVISIONAL_HOLIDAY", "DISTRICT_REST_DAY"}
PROVISIONAL_HOLIDAYS_ON_WEEKENDS_2027 = {(2, 6), (2, 7), (5, 1), (5, 2), (10, 2), (10, 3)}


def kind(date, overrides):
    """The rule under which a day is a working day or not, and whether that is provisional."""
    if date in overrides:
        return ("DISTRICT_WORKING_DAY" if overrides[date] == "WORK" else "DISTRICT_REST_DAY"), False
    weekend = date.weekday() >= 5
    if date.year == 2027:
        if (date.month, date.day) in OFF_2027 | PROVISIONAL_HOLIDAYS_ON_WEEKENDS_2027:
            return "PROVISIONAL_HOLIDAY", True
        return ("WEEKEND" if weekend else "WORKING_DAY"), True
    if date in national.holidays:
        return "HOLIDAY", False
    if date in national.workdays and weekend:
        return "MAKE_UP_WORKING_DAY", False
    return ("WEEKEND" if weekend else "WORKING_DAY"), False


def local(text):
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(ZONE).replace(tzinfo=None)


def midnight(date):
    return dt.datetime.combine(date, dt.time())


def run(case):
    clock, closing = case["clock"], case["closing_time"]
    overrides = {dt.date.fromisoformat(o["date"]): o["kind"] for o in case["calendar"]["overrides"]}
    start, unit = local(clock["start"]), clock["limit"]["unit"]
    total = sum(part["amount"] for part in [clock["limit"], *clock["extensions"]])
    far = dt.datetime(9999, 1, 1)
    stops = [(local(s["from"]), local(s["to"]) if s["to"] else far) for s in clock["stops"]]
    now = local(case["now"])
    if unit == "HOUR":
        return hours(start, total, stops, now)

    def close(date):
        return dt.datetime.combine(date, dt.time.fromisoformat(closing)) if closing else midnight(date + DAY)

    def stood(begin, end):
        return [s for s in stops if s[0] < end and begin < s[1] and s[0] < s[1]]

    days, number, provisional = [], 0, False
    date = start.date()
    if total:
        days.append((date, False, None, "DAY_OF_EVENT"))
        date += DAY
    while True:
        rule, unsettled = kind(date, overrides)
        works = rule not in REST
        begin = start if date == start.date() else midnight(date)
        end = close(date) if date == start.date() or (works and number + 1 >= total) else midnight(date + DAY)
        hits = stood(begin, end)
        if any(to == far for _, to in hits):
            since = min(f for f, to in stops if to == far)
            while date <= max(now.date(), since.date()):
                days.append((date, False, None, "STOPPED"))
                date += DAY
            return {"state": "STOPPED", "since": since.isoformat() + "+08:00"}, days
        if hits:
            days.append((date, False, None, "STOPPED"))
            date += DAY
            continue
        due = False
        if number == total:  # all counted: only a working day is missing
            provisional |= unsettled
            if works and begin < end:
                rule, due = ("SAME_DAY" if date == start.date() else "MOVED_TO_WORKING_DAY"), True
            elif works:
                rule = "DAY_OF_EVENT"
            elif unit == "CALENDAR_DAY":
                rule = "REST_AFTER_LAST_DAY"
            days.append((date, False, None, rule))
        elif unit == "CALENDAR_DAY":
            number += 1
            if number == total:
                provisional |= unsettled
                due = works
            days.append((date, True, number, "CALENDAR_DAY" if works or number < total else "LAST_DAY_IS_REST"))
        else:
            provisional |= unsettled
            number += works
            due = works and number == total
            days.append((date, works, number if works else None, rule))
        if due:
            at = end.isoformat() + "+08:00"
            return {"state": "AT", "at": at, "on": date.isoformat(), "provisional": provisional}, days
        date += DAY


def hours(start, total, stops, now):
    """Minute by minute: slow, and nothing to get wrong."""
    minute, at, left, ran, blocked = dt.timedelta(minutes=1), start, total * 60, {}, {}
    while left:
        hit = [s for s in stops if s[0] <= at < s[1]]
        if any(to.year == 9999 for _, to in hit):
            since = min(f for f, to in stops if to.year == 9999)
            date = max(ran, default=start.date()) + (DAY if ran else dt.timedelta())
            while date <= max(now.date(), since.date()):
                blocked[date] = True
                date += DAY
            due = {"state": "STOPPED", "since": since.isoformat() + "+08:00"}
            break
        if not hit:
            ran[at.date()] = ran.get(at.date(), 0) + 1
            left -= 1
        else:
            blocked[at.date()] = True
        at += minute
    else:
        due = {"state": "AT", "at": at.isoformat() + "+08:00", "on": at.date().isoformat(), "provisional": False}
    days = []
    for date in sorted(set(ran) | set(blocked)):
        days.append((date, date in ran, None, "HOURS_RUN" if date in ran else "STOPPED"))
    return due, days


def main():
    path = pathlib.Path(__file__).with_name("due-times.json")
    cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
    failed = 0
    for case in cases:
        due, days = run(case)
        listed = [
            {"date": date.isoformat(), "counted": counted, "number": number, "rule": rule}
            for date, counted, number, rule in days
        ]
        if due != case["expect"]["due"] or listed != case["expect"]["days"]:
            failed += 1
            print("DIFFERS", case["id"], due)
    print(f"{len(cases) - failed} of {len(cases)} cases agree")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
