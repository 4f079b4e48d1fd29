# SPDX-License-Identifier: Apache-2.0
"""Wrong types, ranges and words in queries and bodies: each is refused with the name of what is wrong."""

import bad_bodies
import scene
import sdk
import unchanged
import wire
import words
from bad_signatures import key

# Answered with 501 whatever is sent.
NEVER = (
    "change_antivirus_pay_per_scan_status create_anti_virus_paid_task list_anti_virus_paid_hosts "
    "show_antivirus_free_quota show_antivirus_pay_per_scan_status uninstall_agents upgrade_agents"
).split()
OPERATIONS = [o for o in sdk.KNOWN["operations"] if "answer" in o and o["name"] not in NEVER]
# Takes any number for what a file has no use for.
NO_PAGES = ["export_event_request"]
# Pages of these have a thousand rows, of all others 200.
LONG_PAGES = ["list_alarm_white_list", "list_isolated_file", "list_same_events", "list_security_events"]
# Lists that HSS documents with more than 100 entries.
LONGER = {
    ("AssociateHostAssetValueRequestInfo", "host_id_list"): 200,
    ("AssociateHostsGroupRequestInfo", "host_id_list"): 200,
    ("AssociatePolicyGroupRequestInfo", "host_id_list"): 10_000,
    ("BatchUpdateHostResourceRequestBody", "host_ids"): 200,
    ("UninstallAgentsRequestInfo", "host_id_list"): 200,
    ("UpdateAlarmWhiteListRequestInfo", "agent_ids"): 1000,
}
# Without a body there is nothing to refuse; this one needs none of its fields.
NEEDS_NOTHING = ["export_anti_virus_result"]


class Asker:
    """Raw requests with a key of its own: each key has its own limit of requests."""

    def __init__(self):
        self.keys = [key(wire.sign_in()) for _ in range(3)]
        self.count = 0

    def refused(self, o, word, query=(), body=None, status=400, **parts):
        """The operation must refuse this, and name what is wrong."""
        target = wire.hss("", sdk.PROJECT) + o["path"].removeprefix("/v5/{project_id}")
        for name, value in {**named(), **parts}.items():
            target = target.replace(f"{{{name}}}", value)
        self.count += 1
        ak, sk = self.keys[self.count % len(self.keys)]
        answer = wire.ask(o["method"], target, list(query), body, ak=ak, sk=sk)
        return wire.must_refuse(answer, status, word)


def named():
    """Names in paths."""
    return {"host_id": sdk.HOSTS[0], "task_id": "0" * 8, "code": words.SWITCHES[0]}


def queries(asker):
    """Types, lengths, how often."""
    wrong = {"int": "ten", "float": "ten", "bool": "perhaps", "str": "x" * 5000}
    for o in OPERATIONS:
        for name, kind in o["query"].items():
            if kind.startswith("list["):
                asker.refused(o, name, [(name, "1001")] * 101)
                if kind != "list[str]":
                    asker.refused(o, name, [(name, "1001"), (name, "ten")])
            else:
                asker.refused(o, name, [(name, wrong[kind])])
    events = next(o for o in OPERATIONS if o["name"] == "list_security_events")
    asker.refused(events, "host_name", [("host_name", "a\0b")])
    asker.refused(events, "host_name", [("host_name", "a"), ("host_name", "b")])
    asker.refused(events, "limit", [("limit", "1e2")])
    asker.refused(events, "limit", [("limit", "9" * 40)])
    asker.refused(events, "begin_time", [("begin_time", "yesterday")])
    asker.refused(events, "begin_time", [("begin_time", "2000"), ("end_time", "1000")])
    for name, most in (("host_id", 64), ("host_name", 256), ("container_name", 512), ("event_name", 128)):
        asker.refused(events, name, [(name, "x" * (most + 1))])
    for days in (0, -1, 4000):
        asker.refused(events, "last_days", [("last_days", days)])
    for other in ("begin_time", "end_time"):
        asker.refused(events, "last_days", [("last_days", "7"), (other, "1000")])


def ranges(asker):
    """Parts of lists."""
    for o in OPERATIONS:
        if o["name"] in NO_PAGES:
            continue
        beside, body = needed(o), {} if o["body"] else None
        most = 1000 if o["name"] in LONG_PAGES else 200
        for name, values in (("limit", (9, most + 1, 0, -10)), ("offset", (-1, 2_000_001))):
            for value in values if name in o["query"] else ():
                asker.refused(o, name, [*beside, (name, value)], body)


def needed(o):
    """What an operation asks for beside."""
    return [("event_id", sdk.HOSTS[0])] if o["name"] in ("list_related_events", "list_same_events") else []


def unknown(asker):
    """Words that nobody documents."""
    event = scene.raw("list_security_events", event_types=[1004], limit=10)["data_list"][0]["event_id"]
    for o in OPERATIONS:
        beside = [("event_id", event)] if o["name"] in ("list_event_forensic", "list_related_events") else []
        body = None
        if o["body"]:
            body = [] if o["body"].startswith("list[") else {}
        for name, kind in o["query"].items():
            if words.documented(o["name"], name) is None:
                continue
            value = 99999 if "int" in kind else "nonsense'; DROP TABLE alarms; --"
            asker.refused(o, name, [*beside, (name, value)], body)
    for name in ("show_switches_status", "change_switches_status"):
        o = next(o for o in OPERATIONS if o["name"] == name)
        asker.refused(o, "code", body={"enabled": True} if o["body"] else None, code="nonsense")


def bodies(asker):
    """Each field with another type, too long, too many; and without all fields."""
    other = {"str": 7, "int": "x", "float": "x", "bool": "yes"}
    for o in OPERATIONS:
        if not o["body"]:
            continue
        if o["body"].startswith("list["):
            for body in ({}, "text", [{}], [["a", 7]], [["a"]] * 101):
                asker.refused(o, "body", body=wire.json.dumps(body))
            continue
        for name, kind in sdk.KNOWN["models"][o["body"]].items():
            asker.refused(o, name, body={name: other.get(kind, {} if kind.startswith("list[") else [])})
            if kind == "str":
                asker.refused(o, name, body={name: "x" * 5000})
                asker.refused(o, name, body={name: "a\0b"})
            elif kind == "int":
                asker.refused(o, name, body={name: 1.5})
            elif kind.startswith("list["):
                inner = kind[5:-1]
                one = {"str": "a", "int": 1}.get(inner, [] if inner.startswith("list[") else {})
                most = LONGER.get((o["body"], name), 100)
                asker.refused(o, f"{name}: {most + 1} entries, {most} at most", body={name: [one] * (most + 1)})
                asker.refused(o, name, body={name: [other.get(inner, "x")]})
        if o["name"] not in NEEDS_NOTHING:
            asker.refused(o, "", body={})
            asker.refused(o, "", body={name: None for name in sdk.KNOWN["models"][o["body"]]})


def run():
    asker = Asker()
    with unchanged.nothing("bad queries"):
        for part in (queries, ranges, unknown):
            part(asker)
    with unchanged.nothing("bad bodies"):
        bodies(asker)
        bad_bodies.run()
    print(f"bad: {asker.count} wrong queries and bodies, and those that only meaning shows")
