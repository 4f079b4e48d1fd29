# SPDX-License-Identifier: Apache-2.0
"""Somebody's scripts for HSS, as they were, against Lazaret: automatic isolation, and what people do about alarms."""

import os
import stat
import subprocess

from huaweicloudsdkhss.v5 import (
    ChangeAutoKillVirusStatusRequestInfo,
    ChangeIsolatedFileRequest,
    ChangeIsolatedFileRequestInfo,
    DeleteIsolatedFileRequest,
    DeleteIsolatedFileRequestInfo,
    DelIsolatedFileRequestInfo,
    IsolatedFileRequestInfo,
    ListAutoKillVirusStatusRequest,
    ListIsolatedFileRequest,
    ListSecurityEventsRequest,
    StartAutoKillVirusStatusRequest,
)

import scene
import sdk
import story_fields
import story_handling
from scene import ME, becomes, handle, isolated, seen
from sdk import until


def switch(on):
    """Sets automatic isolation, and waits until the hosts go by it."""
    body = ChangeAutoKillVirusStatusRequestInfo(enabled=on)
    ME.start_auto_kill_virus_status(StartAutoKillVirusStatusRequest(body=body))
    assert ME.list_auto_kill_virus_status(ListAutoKillVirusStatusRequest()).enabled is on
    scene.settled()


def gone(path):
    until(f"{path} is gone", lambda: not os.path.lexists(path))


def back(path, content, mode):
    """The file is where it was, byte for byte, with its mode."""
    until(f"{path} is back", lambda: os.path.lexists(path))
    # Not read by Python: an interpreter that reads a script counts as what runs it, and is killed with it.
    assert subprocess.run(["cat", path], capture_output=True, check=True).stdout == content, f"{path}: other bytes"
    found = os.lstat(path)
    assert stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == mode, f"{path}: {found.st_mode:o}"
    assert (found.st_uid, found.st_gid) == (os.getuid(), os.getgid())


def isolation_by_itself():
    """With the switch on a worm goes as it comes; its alarm says so, and is found by each of its properties."""
    status = ME.list_auto_kill_virus_status(ListAutoKillVirusStatusRequest())
    assert status.enabled is False, "nobody has switched it on"
    switch(True)
    dropped = scene.now_ms()
    path = sdk.program("worm-high", 0, "story-worm")
    digest = scene.digest("worm-high", "story-worm")
    gone(path)
    event = becomes(seen(path)["event_id"], path, "handled", "isolate_and_kill")
    worm = {
        "event_class_id": "av_1003",
        "event_type": 1003,
        "severity": "Critical",
        "attack_phase": "delivery",
        "attack_tag": "attack_blocked",
        "handle_status": "handled",
        "handle_method": "isolate_and_kill",
        "operate_accept_list": ["do_not_isolate_or_kill"],
        "malware_info": {"malware_type": "Worm", "confidence": 99},
        "lazaret_class": "worm",
        "lazaret_rating": "high",
        "lazaret_confidence": 99,
        "lazaret_origin": lambda o: o in ("written", "open", "moved_in"),
        "lazaret_decision": "isolate_and_kill",
        "lazaret_auto_block": True,
        "lazaret_handled_by": "policy",
        "lazaret_att_ck": "Execution",
        "lazaret_technique": "T1204.002",
    }
    story_fields.of_event(event, 0, path, digest, dropped, worm)
    found_by(event, path, dropped)
    row = until("the isolated file", lambda: isolated(path))
    story_fields.of_isolated(row, event, 0, "worm-high", dropped, 0o755)
    isolated_by(row, digest, dropped)
    switch(False)
    second = sdk.program("worm-high", 1, "story-worm-off")
    other = seen(second)
    assert (other["handle_status"], other["host_id"]) == ("unhandled", sdk.HOSTS[1]), other
    assert os.path.exists(second), "the switch is off: an alarm only"
    print("story: a worm was isolated by itself, and not any more when that was switched off")


def found_by(event, path, dropped):
    """Each filter alone finds the event, and with another value does not."""
    host = story_fields.host_of(0)
    soon = scene.now_ms() + 60_000
    for right, wrong in (
        ({"category": "host"}, {"category": "container"}),
        ({"host_name": host["host_name"]}, {"host_name": "nobody's"}),
        ({"host_id": sdk.HOSTS[0]}, {"host_id": sdk.HOSTS[1]}),
        ({"event_types": [1003, 1016]}, {"event_types": [1016]}),
        ({"event_class_ids": ["av_1003"]}, {"event_class_ids": ["av_1004", "login_0001"]}),
        ({"handle_status": "handled"}, {"handle_status": "unhandled"}),
        ({"severity": "Critical"}, {"severity": "High"}),
        ({"severity_list": ["Critical", "Low"]}, {"severity_list": ["High", "Security"]}),
        ({"attack_tag": "attack_blocked"}, {"attack_tag": "attack_success"}),
        ({"asset_value": "common"}, {"asset_value": "important"}),
        ({"att_ck": "Execution"}, {"att_ck": "Impact"}),
        ({"event_name": "Worm"}, {"event_name": "Miner"}),
        ({"auto_block": True}, {"auto_block": False}),
        ({"last_days": 1}, {"begin_time": str(soon)}),
        ({"begin_time": str(dropped - 1000), "end_time": str(soon)}, {"end_time": str(dropped - 1000)}),
        ({"enterprise_project_id": "all_granted_eps"}, {"enterprise_project_id": scene.FOREIGN}),
        ({"enterprise_project_id": sdk.PROJECT}, {"container_name": "x"}),
    ):
        for filters, there in ((right, True), (wrong, False)):
            answer = ME.list_security_events(ListSecurityEventsRequest(limit=200, **filters))
            ids = [e.event_id for e in answer.data_list]
            assert (event["event_id"] in ids) is there, f"{filters}: {path} {'not found' if there else 'found'}"
            assert answer.total_num == len(ids), f"{filters}: {answer.total_num} of {len(ids)}"
    if "private_ip" in host:
        assert scene.event(path, private_ip=host["private_ip"])
    assert scene.event(path, private_ip="10.99.99.99") is None
    assert scene.event(path, public_ip="192.0.2.1") is None


def isolated_by(row, digest, dropped):
    """The same of isolated files."""
    soon = scene.now_ms() + 60_000
    for right, wrong in (
        ({"file_path": row["file_path"]}, {"file_path": "/nowhere/else"}),
        ({"host_name": row["host_name"]}, {"host_name": "nobody's"}),
        ({"file_hash": digest}, {"file_hash": "0" * 64}),
        ({"asset_value": "common"}, {"asset_value": "test"}),
        ({"isolation_status": "isolated"}, {"isolation_status": "restored"}),
        ({"last_days": 1}, {"public_ip": "192.0.2.1"}),
        ({"begin_time": dropped - 1000, "end_time": soon}, {"begin_time": soon, "end_time": soon + 1000}),
    ):
        for filters, there in ((right, True), (wrong, False)):
            answer = ME.list_isolated_file(ListIsolatedFileRequest(limit=100, **filters))
            found = [f.file_path for f in answer.data_list]
            assert (row["file_path"] in found) is there, f"{filters}: {found}"


def isolation_by_hand():
    """A Trojan that nothing acts on by itself: isolated by a person, given back in both ways."""
    dropped = scene.now_ms()
    path, content = sdk.program("trojan-medium", 0, "story-trojan"), scene.content("trojan-medium", "story-trojan")
    digest = scene.digest("trojan-medium", "story-trojan")
    event = seen(path)
    os.chmod(path, 0o4751)
    trojan = {
        "event_class_id": "av_1004",
        "event_type": 1004,
        "severity": "Medium",
        "attack_phase": "installation",
        "attack_tag": "attack_attempt",
        "handle_status": "unhandled",
        "operate_accept_list": ["mark_as_handled", "ignore", "add_to_alarm_whitelist", "isolate_and_kill"],
        "malware_info": {"malware_type": "Trojan", "confidence": 75},
        "lazaret_class": "trojan",
        "lazaret_rating": "medium",
        "lazaret_confidence": 75,
        "lazaret_origin": lambda o: o in ("written", "open", "moved_in"),
        "lazaret_decision": "alarm",
        "lazaret_auto_block": False,
        "lazaret_att_ck": "Execution",
        "lazaret_technique": "T1204.002",
    }
    story_fields.of_event(event, 0, path, digest, dropped, trojan)
    assert os.path.exists(path), "medium confidence: a person decides"
    scene.refused(409, "change_event", "takes", body=scene.order("do_not_isolate_or_kill", event))
    handle("isolate_and_kill", event, note="by hand")
    gone(path)
    handled = becomes(event["event_id"], path, "handled", "isolate_and_kill")
    assert handled["handler"] == "by hand" and "admin" in handled["lazaret_handled_by"], handled
    assert handled["attack_tag"] == "attack_blocked" and handled["operate_accept_list"] == ["do_not_isolate_or_kill"]
    row = until("the isolated file", lambda: isolated(path))
    story_fields.of_isolated(row, handled, 0, "trojan-medium", dropped, 0o4751)
    scene.refused(409, "change_event", "handled already", body=scene.order("isolate_and_kill", event))
    # Taken back at the alarm.
    handle("do_not_isolate_or_kill", event, note="it was ours")
    back(path, content, 0o4751)
    becomes(event["event_id"], path, "unhandled")
    until("the restored file", lambda: isolated(path, "restored"))
    # Isolated again, taken back in the list of isolated files.
    handle("isolate_and_kill", event, note="by hand, again")
    gone(path)
    becomes(event["event_id"], path, "handled", "isolate_and_kill")
    row = until("the isolated file", lambda: isolated(path))
    files = [IsolatedFileRequestInfo(**{k: row[k] for k in ("host_id", "file_hash", "file_path", "file_attr")})]
    ME.change_isolated_file(ChangeIsolatedFileRequest(body=ChangeIsolatedFileRequestInfo(data_list=files)))
    back(path, content, 0o4751)
    becomes(event["event_id"], path, "unhandled")
    until("the restored file", lambda: not isolated(path))
    print("story: a Trojan was isolated by hand twice, and came back byte for byte with its mode")
    return event


def deletion():
    """What is deleted for good does not come back."""
    path = sdk.program("webshell-high", 1, "story-shell")
    event = seen(path)
    assert (event["severity"], event["event_type"]) == ("High", 1015), event
    handle("isolate_and_kill", event, note="to be deleted")
    gone(path)
    becomes(event["event_id"], path, "handled", "isolate_and_kill")
    row = until("the isolated file", lambda: isolated(path))
    keys = {k: row[k] for k in ("host_id", "file_hash", "file_path", "file_attr")}
    body = DeleteIsolatedFileRequestInfo(data_list=[DelIsolatedFileRequestInfo(**keys)])
    ME.delete_isolated_file(DeleteIsolatedFileRequest(body=body))
    until("the deletion", lambda: not isolated(path))
    again = ChangeIsolatedFileRequestInfo(data_list=[IsolatedFileRequestInfo(**keys)])
    error = scene.error("change_isolated_file", body=again)
    assert error.status_code in (404, 409), error
    assert not os.path.exists(path)
    print("story: an isolated web shell was deleted for good")
    return event


def main():
    isolation_by_itself()
    trojan = isolation_by_hand()
    shell = deletion()
    story_handling.run(trojan, shell)


main()
