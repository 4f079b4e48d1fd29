# SPDX-License-Identifier: Apache-2.0
"""The story's second half: whitelist, marking and ignoring, and the history of all that was done."""

import os

from huaweicloudsdkhss.v5 import (
    AlarmWhiteListRequestInfo,
    ListAlarmWhiteListRequest,
    ListEventHandleHistoryRequest,
    RemoveAlarmWhiteListRequest,
    RemoveAlarmWhiteListRequestInfo,
)

import scene
import sdk
from scene import ME, becomes, handle, seen
from sdk import until


def entries(digest):
    """What the whitelist has of a content."""
    answer = ME.list_alarm_white_list(ListAlarmWhiteListRequest(hash=digest, limit=100))
    assert answer.total_num == len(answer.data_list)
    return answer.data_list


def copy(content, name):
    """The same bytes at another place of the first host."""
    path = os.path.join(sdk.VOLUMES[0], name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def quiet(path, control):
    """Nothing is said of a file, while another that came after it has its alarm."""
    after = sdk.program("miner-medium", 0, control)
    seen(after)
    assert scene.event(path) is None, f"{path} has an alarm"


def whitelisting():
    """What is whitelisted is no alarm any more; taken back, it is one again."""
    path, content = sdk.program("miner-medium", 0, "story-miner"), scene.content("miner-medium", "story-miner")
    digest = scene.digest("miner-medium", "story-miner")
    event = seen(path)
    assert (event["event_type"], event["severity"]) == (1016, "Medium"), event
    assert not entries(digest)
    handle("add_to_alarm_whitelist", event, note="our own miner")
    becomes(event["event_id"], path, "handled", "add_to_alarm_whitelist")
    assert os.path.exists(path)
    entry = until("the whitelist entry", lambda: next(iter(entries(digest)), None))
    assert digest in (entry.hash, entry.field_value), entry
    assert entry.event_type in (None, 1016) and entry.judge_type in (None, "equal"), entry
    scene.settled()
    quiet(copy(content, "story-miner-copy"), "story-control-1")
    handle("remove_from_alarm_whitelist", event, note="not ours after all")
    becomes(event["event_id"], path, "unhandled")
    until("the end of the entry", lambda: not entries(digest))
    scene.settled()
    seen(copy(content, "story-miner-again"))
    # Whitelisted again, and taken off the list itself.
    handle("add_to_alarm_whitelist", event, note="ours, says the team")
    becomes(event["event_id"], path, "handled", "add_to_alarm_whitelist")
    entry = until("the whitelist entry", lambda: next(iter(entries(digest)), None))
    named = AlarmWhiteListRequestInfo(hash=entry.hash, description=entry.description, event_type=entry.event_type)
    body = RemoveAlarmWhiteListRequestInfo(data_list=[named], restore_alarm=True)
    ME.remove_alarm_white_list(RemoveAlarmWhiteListRequest(body=body))
    until("the end of the entry", lambda: not entries(digest))
    # As asked, its alarm is back; and what comes now is an alarm again.
    becomes(event["event_id"], path, "unhandled")
    scene.settled()
    seen(copy(content, "story-miner-third"))
    print("story: a miner was whitelisted, and taken off the whitelist in both ways")
    return event


def marking(event):
    """Handled and ignored, and both taken back; a word that does not fit is refused."""
    path = scene.path_of(event)
    for verb, undo in (("mark_as_handled", "unhandle"), ("ignore", "do_not_ignore")):
        handle(verb, event, note=f"{verb}, says the team")
        handled = becomes(event["event_id"], path, "handled", verb)
        assert handled["operate_accept_list"] == [undo], handled
        assert handled["handler"] == f"{verb}, says the team" and "admin" in handled["lazaret_handled_by"], handled
        scene.refused(409, "change_event", body=scene.order("isolate_and_kill", event))
        handle(undo, event, note=f"{undo}, says the team")
        opened = becomes(event["event_id"], path, "unhandled")
        assert "handle_method" not in opened and "handle_time" not in opened, opened
    for verb in ("add_to_login_whitelist", "remove_from_login_whitelist"):
        scene.refused(400, "change_event", "log-in", body=scene.order(verb, event))
    assert os.path.exists(path)
    print("story: an alarm was marked as handled, ignored, and opened again after both")


def history(trojan, shell, miner):
    """All that was done, with who did it and what they said."""
    wanted = {
        (trojan["event_id"], "isolate_and_kill", "by hand"),
        (trojan["event_id"], "isolate_and_kill", "by hand, again"),
        (shell["event_id"], "isolate_and_kill", "to be deleted"),
        (miner["event_id"], "add_to_alarm_whitelist", "our own miner"),
        (miner["event_id"], "add_to_alarm_whitelist", "ours, says the team"),
    } | {
        (miner["event_id"], verb, f"{verb}, says the team")
        for verb in ("mark_as_handled", "ignore")
    }
    undone = {"do_not_isolate_or_kill", "remove_from_alarm_whitelist", "unhandle", "do_not_ignore"}
    rows = scene.pages("list_event_handle_history")
    found = {(r["lazaret_event_id"], r["operate_type"], r.get("notes", "")) for r in rows}
    assert wanted <= found, f"not in the history: {sorted(wanted - found)}"
    for row in rows:
        said = f"history: {row}"
        assert row["handle_status"] == ("unhandled" if row["operate_type"] in undone else "handled"), said
        assert row["host_name"] and row["handle_time"] <= scene.now_ms() + 1000, said
        if row["lazaret_event_id"] in (trojan["event_id"], shell["event_id"], miner["event_id"]):
            assert "admin" in row["user_name"], said
            like = next(e for e in (trojan, shell, miner) if e["event_id"] == row["lazaret_event_id"])
            for name in ("event_type", "event_class_id", "severity", "host_name"):
                assert row[name] == like[name], f"{said}: {name}"
    assert any(r["user_name"] == "policy" and r["event_type"] == 1003 for r in rows), "what policy did"
    times = [r["handle_time"] for r in rows]
    assert times == sorted(times, reverse=True), "newest first"
    turned = ListEventHandleHistoryRequest(limit=10, sort_key="handle_time", sort_dir="asc")
    oldest = ME.list_event_handle_history(turned)
    assert [r.handle_time for r in oldest.data_list] == times[::-1][:10]
    for filters, keeps in (
        ({"event_type": 1016}, lambda r: r["event_type"] == 1016),
        ({"event_class_ids": ["av_1004"]}, lambda r: r["event_class_id"] == "av_1004"),
        ({"severity": "High"}, lambda r: r["severity"] == "High"),
        ({"handle_status": "unhandled"}, lambda r: r["handle_status"] == "unhandled"),
        ({"event_name": "story-shell"}, lambda r: "story-shell" in r["event_name"]),
        ({"host_name": rows[0]["host_name"]}, lambda r: r["host_name"] == rows[0]["host_name"]),
        ({"asset_value": "important"}, lambda r: False),
    ):
        some = scene.pages("list_event_handle_history", **filters)
        assert some == [r for r in rows if keeps(r)], f"{filters}: {len(some)}"
    print(f"story: the history has all {len(rows)} entries, with who and why")


def run(trojan, shell):
    miner = whitelisting()
    marking(miner)
    history(trojan, shell, miner)
