# SPDX-License-Identifier: Apache-2.0
"""Events: counted, paged, compared, looked into, handled all at once, and let be by rules."""

import os
from collections import Counter

import huaweicloudsdkhss.v5 as v5

import scene
import sdk
from scene import ask, becomes, handle, pages, raw, refused, seen
from sdk import HOSTS, until
from words import VERBS

PAGED = 25
TACTICS = {1004: "Execution", 1003: "Execution", 1015: "Persistence", 1016: "Impact"}


def paging():
    """25 alarms, ten by ten, with a filter that the database knows and one that it does not."""
    paths = {sdk.program("miner-low", 1, f"every-page-{n:02}") for n in range(PAGED)}
    begun = scene.now_ms() - 60_000
    database = {"event_types": [1016], "severity": "Low", "host_id": HOSTS[1], "begin_time": str(begun)}
    for filters in (database, {"event_name": "every-page"}):
        until(
            f"{PAGED} alarms",
            lambda filters=filters: raw("list_security_events", limit=10, **filters)["total_num"] == PAGED,
        )
        found = []
        for offset, length in ((0, 10), (10, 10), (20, 5), (30, 0)):
            page = raw("list_security_events", offset=offset, limit=10, **filters)
            assert (page["total_num"], len(page["data_list"])) == (PAGED, length), f"{filters}, from {offset} on"
            found += [scene.path_of(e) for e in page["data_list"]]
        assert Counter(found) == Counter(paths), "each exactly once"
        whole = raw("list_security_events", limit=1000, **filters)["data_list"]
        assert [scene.path_of(e) for e in whole] == found, "in the same order"
        times = [e["occur_time"] for e in whole]
        assert times == sorted(times, reverse=True), "newest first"
    assert len(raw("list_security_events", event_name="every-page")["data_list"]) == 10, "ten unless said otherwise"


def times():
    """Windows of time: days, or from and to; both ends belong to it or not, but none is lost between two."""
    events = pages("list_security_events", event_name="every-page")
    moments = sorted(e["occur_time"] for e in events)
    middle = moments[len(moments) // 2]
    first = raw("list_security_events", limit=100, event_name="every-page", end_time=str(middle))["data_list"]
    rest = raw("list_security_events", limit=100, event_name="every-page", begin_time=str(middle))["data_list"]
    ids = {e["event_id"] for e in first} | {e["event_id"] for e in rest}
    assert ids == {e["event_id"] for e in events}
    assert all(e["occur_time"] <= middle for e in first) and all(e["occur_time"] >= middle for e in rest)
    for days in (1, 30):
        assert raw("list_security_events", event_name="every-page", last_days=days)["total_num"] == PAGED
    whole = {"begin_time": str(moments[0]), "end_time": str(moments[-1] + 1), "event_name": "every-page"}
    assert raw("list_security_events", **whole)["total_num"] == PAGED


def counting():
    """Every statistic says what counting the list says, for several filters."""
    some = ({}, {"host_id": HOSTS[0]}, {"handle_status": "unhandled"}, {"severity": "Low"}, {"event_name": "every"})
    for filters in some:
        events = pages("list_security_events", **filters)
        severities, tags = Counter(e["severity"] for e in events), Counter(e["attack_tag"] for e in events)
        types = Counter(e["event_type"] for e in events if "event_type" in e)
        classes = Counter(e["event_class_id"] for e in events if "event_class_id" in e)
        numbers = raw("show_event_severity", **filters)
        assert numbers["total_num"] == len(events), filters
        for word in ("low", "medium", "high", "critical"):
            assert numbers[f"{word}_num"] == severities[word.capitalize()], (filters, word)
        numbers = raw("show_event_attack_tag", category="host", **filters)
        assert numbers == {f"{t}_num": tags[t] for t in tags_of(numbers)}, filters
        numbers = raw("list_event_type", **filters)
        found = {t["event_type"]: t["event_num"] for g in numbers["data_list"] for t in g["event_type_list"]}
        assert numbers["total_num"] == len(events) == sum(g["event_type_num"] for g in numbers["data_list"])
        assert {t: n for t, n in found.items() if n} == types, filters
        tactics = {t["att_ck"]: t["num"] for t in raw("list_event_att_ck", **filters)["data_list"]}
        assert {t: n for t, n in tactics.items() if n} == Counter(TACTICS[t] for t in types.elements()), filters
        if "event_name" not in filters:
            top = raw("list_event_top_risk", **filters)["data_list"]
            assert [t["event_num"] for t in top] == sorted(classes.values(), reverse=True)[:5], filters
            assert all(classes[t["event_class_id"]] == t["event_num"] for t in top), filters


def tags_of(numbers):
    return [name.removesuffix("_num") for name in numbers]


def twins():
    """The same file on both hosts: events that are the same, alike, near."""
    content = scene.content("trojan-low", "every-twin")
    paths = [sdk.program("trojan-low", 0, "every-twin"), os.path.join(sdk.VOLUMES[1], "every-twin")]
    with open(paths[1], "wb") as file:
        file.write(content)
    one, other = seen(paths[0]), seen(paths[1])
    same = pages("list_same_events", event_id=one["event_id"], event_class_id="av_1004", occur_time=one["occur_time"])
    assert other["event_id"] in [e["event_id"] for e in same], same
    assert all(e["file_info_list"][0]["file_hash"] == scene.digest("trojan-low", "every-twin") for e in same)
    assert pages("list_same_events", event_id=one["event_id"], event_class_id="av_1016") == []
    near = pages("list_related_events", event_id=one["event_id"], category="host")
    ids = [e["event_id"] for e in near]
    assert ids and one["event_id"] not in ids and other["event_id"] not in ids, "of the same host, and not itself"
    handle("mark_as_handled", other, note="a twin")
    becomes(other["event_id"], paths[1], "handled", "mark_as_handled")
    alike = raw("list_similar_handled_events", event_id=one["event_id"])
    row = next(e for e in alike["data_list"] if e["event_id"] == other["event_id"])
    assert row["similiar_type"] == "sameFileHash" and row["handle_method"] == "mark_as_handled", row
    assert row["memo"] == "a twin" and "admin" in row["handler"] and row["handle_time"] <= scene.now_ms() + 1000, row
    assert alike["total_num"] == len(alike["data_list"])
    return one, paths[0], content


def forensics(event, path, content):
    """What is known of an event: its file, who made it, how sure it is."""
    full = raw("list_event_forensic", event_id=event["event_id"], event_type=1004, category="host")
    assert (full["event_type"], full["event_class_id"]) == (1004, "av_1004"), full
    assert full["malware_file_hash"] == event["file_info_list"][0]["file_hash"]
    info = full["event_forensic_info"]
    file = info["file_forensic_list"][0]
    assert (file["file_path"], file["file_name"], file["file_size"]) == (path, "every-twin", len(content)), file
    assert file["file_mtime"] == os.stat(path).st_mtime_ns // 1_000_000 and file["is_dir"] is False, file
    assert info["malware_forensic"]["confidence"] == 30 and info["malware_forensic"]["malware_type"] == "Trojan", info
    maker = info["process_chain_forensic"][0][0]
    assert (maker["process_pid"], maker["process_uid"]) == (os.getpid(), os.getuid()), maker
    assert "every.py" in maker["process_cmdline"] and maker["process_path"] == os.path.realpath("/proc/self/exe"), maker
    assert info["user_forensic"]["user_id"] == os.getuid()
    refused(404, "list_event_forensic", event_id=event["event_id"], event_type=1016)
    refused(404, "list_event_forensic", event_id=event["event_id"], category="container")
    refused(404, "list_event_forensic", event_id=event["event_id"], occur_time=event["occur_time"] + 3_600_000)
    refused(400, "list_event_forensic", "event_id")


def all_at_once():
    """All of a type: handled, and opened again; what can be done with a type is told."""
    for number, can in ((1016, True), (1001, True), (4002, False)):
        words = ask("list_event_operates", event_type=number).operate_accept_list
        assert set(words) == ({v for v in VERBS if "login" not in v} if can else set()), words
    miners = {"event_types": [1016], "category": "host"}

    def many(status):
        return raw("list_security_events", limit=10, handle_status=status, **miners)["total_num"]

    before = many("unhandled")
    assert before >= PAGED
    asked = {"operate_type": "mark_as_handled", "handler": "all of them", "event_type": 1016, "category": "host"}
    ask("batch_change_event", body=asked)
    until("all miners are handled", lambda: many("unhandled") == 0)
    handled = raw("list_security_events", limit=100, handle_status="handled", **miners)["data_list"]
    assert sum(e.get("handler") == "all of them" for e in handled) == before
    others = raw("list_security_events", limit=10, event_types=[1004], handle_status="unhandled")["total_num"]
    assert others > 0, "of that type only"
    ask("batch_change_event", body={"operate_type": "unhandle", "event_type": 1016})
    until("all miners are open again", lambda: many("unhandled") == before)
    ask("batch_change_event", body={"operate_type": "ignore", "event_type": 4002})
    assert many("unhandled") == before


def whitelist(**filters):
    return pages("list_alarm_white_list", **filters)


def rules():
    """A rule of one's own: what it matches is no alarm, where it holds."""
    event = seen(sdk.program("trojan-low", 0, "every-rule"))
    known = {e["lazaret_rule_id"] for e in whitelist()}
    rule = v5.EventWhiteRuleListRequestInfo(
        event_type=1004, field_key="file_path", field_value="/every-white-", judge_type="contain", scope=True
    )
    handle("add_to_alarm_whitelist", event, note="deployments", rules=[rule])
    becomes(event["event_id"], scene.path_of(event), "handled", "add_to_alarm_whitelist")
    entry = ruled(known)
    assert (entry["event_type"], entry["white_field"], entry["judge_type"]) == (1004, "file_path", "contain"), entry
    assert (entry["field_value"], entry["description"]) == ("/every-white-", "deployments"), entry
    where = raw("list_alarm_white_list_host_detail", rule_id=entry["hash"])
    assert where["scope"] is True and where["rule_id"] == entry["hash"], where
    scene.settled()
    silent, control = sdk.program("trojan-low", 1, "every-white-1"), sdk.program("trojan-low", 1, "every-control-1")
    seen(control)
    assert scene.event(silent) is None, "the rule holds everywhere"
    ask("update_alarm_white_list_host", body={"rule_id": entry["hash"], "scope": False, "agent_ids": [HOSTS[0]]})
    entry = ruled(known)
    where = raw("list_alarm_white_list_host_detail", rule_id=entry["hash"])
    assert (where["scope"], where["agent_ids"]) == (False, [HOSTS[0]]), where
    scene.settled()
    seen(sdk.program("trojan-low", 1, "every-white-2"))
    silent, control = sdk.program("trojan-low", 0, "every-white-3"), sdk.program("trojan-low", 0, "every-control-2")
    seen(control)
    assert scene.event(silent) is None, "the rule holds on the first host only"
    assert [e["hash"] for e in whitelist(event_type=1004) if e["hash"] == entry["hash"]] == [entry["hash"]]
    assert entry["hash"] not in [e["hash"] for e in whitelist(event_type=1016)]
    named = {k: entry[k] for k in ("hash", "description", "event_type")}
    refused(400, "remove_alarm_white_list", "delete_white_rule", body={"data_list": [named]})
    assert whitelist(hash=entry["hash"])
    ask("remove_alarm_white_list", body={"data_list": [{**named, "delete_white_rule": True}]})
    assert whitelist(hash=entry["hash"]) == []
    refused(404, "list_alarm_white_list_host_detail", rule_id=entry["hash"])
    ask("remove_alarm_white_list", body={"delete_all": True, "restore_alarm": True})
    assert whitelist() == []
    scene.settled()
    seen(sdk.program("trojan-low", 0, "every-white-4"))


def ruled(known):
    """The entry of the rule: the one with its value."""
    found = [e for e in whitelist() if e["field_value"] == "/every-white-" and e["lazaret_rule_id"] not in known]
    assert len(found) == 1, found
    return found[0]


def run():
    paging()
    times()
    event, path, content = twins()
    forensics(event, path, content)
    counting()
    all_at_once()
    rules()
    print("every: events, statistics, whitelist rules")
