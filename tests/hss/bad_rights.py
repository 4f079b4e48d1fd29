# SPDX-License-Identifier: Apache-2.0
"""Who has rights in another project only, or may only look: what they get of this one."""

import scene
import sdk
import unchanged
import wire
from bad_bodies import NOBODY
from bad_signatures import key
from scene import FOREIGN, raw, refused

HOST = sdk.HOSTS[0]
OURS = "a password of their own, rather long"


def somebody(name, *grants):
    """A new user with these rights, an access key of theirs, and their token."""
    token = wire.sign_in()
    made = wire.rest("POST", "/users", {"name": name, "grants": list(grants)}, token)
    once = made["one_time_password"]
    theirs = wire.sign_in(name, once)
    wire.rest("POST", "/me/password", {"current": once, "new": OURS}, theirs)
    theirs = wire.sign_in(name, OURS)
    return key(theirs), theirs


def target(o, project):
    """A request's path, with something in the place of each name."""
    path = o["path"].replace("{project_id}", project).replace("{host_id}", HOST).replace("{code}", "image_popup")
    return path.replace("{", "").replace("}", "")


def other_project(ak, sk):
    """Every operation of this project is closed to them, and names of no project are no more open to anybody."""
    for o in [o for o in sdk.KNOWN["operations"] if "answer" in o]:
        wire.must_refuse(wire.ask(o["method"], target(o, sdk.PROJECT), ak=ak, sk=sk), 403, "project")
        if "enterprise_project_id" in o["query"]:
            body = ([] if o["body"].startswith("list[") else {}) if o["body"] else None
            query = [("enterprise_project_id", sdk.PROJECT)]
            wire.must_refuse(wire.ask(o["method"], target(o, FOREIGN), query, body, ak=ak, sk=sk), 403, "project")
    for project in ("nonsense", "x" * 65, "00", "*", "%2A", "all_granted_eps", "é"):
        wire.must_refuse(wire.ask("GET", wire.hss("/event/events", project)), 403, "project")
        if project != "all_granted_eps":
            query = [("enterprise_project_id", project)]
            wire.must_refuse(wire.ask("GET", wire.hss("/event/events"), query), 403, "project")


def nothing_seen(theirs):
    """What they list has nothing of this project, by whichever way they ask."""
    for eps in (None, FOREIGN, "all_granted_eps"):
        scope = {"enterprise_project_id": eps} if eps else {}
        for name in (
            "list_security_events list_isolated_file list_host_status list_host_groups list_alarm_white_list "
            "list_event_handle_history list_anti_virus_host list_anti_virus_result list_anti_virus_task "
            "list_anti_virus_policy list_antivirus_handle_history list_agent_status list_hosts_risk"
        ).split():
            found = raw(name, theirs, **scope)
            assert found["total_num"] == 0 and found["data_list"] == [], f"{name} {scope}: {found}"
        numbers = raw("show_event_severity", theirs, **scope)
        assert set(numbers.values()) == {0}, numbers
        assert raw("show_hosts_statistics", theirs, **scope)["total_num"] == 0
        assert raw("show_antivirus_statistic", theirs, **scope)["total_malware_num"] == 0
        for row in raw("list_policy_group", theirs, **scope)["data_list"]:
            assert row["host_num"] == 0 and row["lazaret_project"] == FOREIGN, row
        quotas = raw("list_quotas_detail", theirs, used_status="used", **scope)
        assert quotas["data_list"] == [], quotas
    for filters in ({"host_id": HOST}, {"event_types": [1004]}, {"event_name": "every"}):
        assert raw("list_security_events", theirs, **filters)["total_num"] == 0, filters


def nothing_reached(theirs, event, isolated):
    """Ids of this project are ids of nobody to them."""
    one = {"event_id": event["event_id"]}
    file = {k: isolated[k] for k in ("host_id", "file_hash", "file_path")} if isolated else {}
    for operation, more in (
        ("change_event", {"body": {"operate_type": "ignore", "operate_event_list": [one]}}),
        ("list_event_forensic", one),
        ("list_same_events", one),
        ("list_related_events", one),
        ("list_similar_handled_events", one),
        ("download_event_source_file", {"file_hash": event["file_info_list"][0]["file_hash"]}),
        ("show_scan_status", {"host_id": HOST}),
        ("set_manual_detect", {"host_id": HOST, "body": {"type": "lazaret_quick"}}),
        *([("change_isolated_file", {"body": {"data_list": [file]}})] if file else []),
        *([("delete_isolated_file", {"body": {"data_list": [file]}})] if file else []),
    ):
        for scope in ({}, {"enterprise_project_id": "all_granted_eps"}):
            error = scene.error(operation, theirs, **more, **scope)
            assert error.status_code in (403, 404), f"{operation} {scope}: {error}"
    body = {"operate_type": "ignore", "event_type": event["event_type"]}
    scene.ask("batch_change_event", theirs, body=body)
    # A group with a host that is not theirs, a scan of it, a value for it.
    for operation, body in (
        ("associate_host_asset_value", {"asset_value": "test", "host_id_list": [HOST]}),
        ("add_hosts_group", {"group_name": "stolen", "host_id_list": [HOST]}),
        ("switch_hosts_protect_status", {"version": "hss.version.null", "host_id_list": [HOST]}),
    ):
        error = scene.error(operation, theirs, body=body)
        assert error.status_code in (403, 404), f"{operation}: {error}"
    scan = {"task_name": "theirs", "scan_type": "quick", "action": "auto", "host_ids": [HOST]}
    try:
        begun = scene.ask("create_anti_virus_task", theirs, body=scan)
    except scene.ServiceResponseException as e:
        assert e.status_code in (400, 403, 404), e
    else:
        assert begun.result is False, "a scan of a host that is not theirs"
        rows = raw("list_anti_virus_task", theirs)["data_list"]
        assert [h for t in rows for h in t["host_info_list"]] == [], rows


def writes(event):
    """Every write with a body that is right."""
    one = {"event_id": event["event_id"]}
    default = raw("list_policy_group", group_name="default_policy_group")["data_list"][0]["group_id"]
    file = {"data_list": [{"host_id": HOST, "file_hash": "0" * 64, "file_path": "/x"}]}
    task = {"task_name": "theirs", "scan_type": "quick", "action": "manual", "host_ids": [HOST]}
    return {
        "add_hosts_group": {"group_name": "theirs", "host_id_list": []},
        "add_policy_group": {"name": "theirs", "description": "theirs", "group_id": default},
        "associate_host_asset_value": {"asset_value": "test", "host_id_list": [HOST]},
        "batch_change_event": {"operate_type": "ignore", "event_type": event["event_type"]},
        "change_event": {"operate_type": "ignore", "operate_event_list": [one]},
        "change_malware_collect_status": {"enabled": True},
        "change_policy_group": {"group_id": default, "protect_mode": "high_detection"},
        "create_anti_virus_policy": {**task, "policy_name": "theirs", "start_type": "now"},
        "create_anti_virus_task": task,
        "remove_alarm_white_list": {"delete_all": True},
        "set_malware_reminders": {"reminders": False},
        "start_auto_kill_virus_status": {"enabled": True},
        "switch_hosts_protect_status": {"version": "hss.version.null", "host_id_list": [HOST]},
        "change_isolated_file": file,
        "delete_isolated_file": file,
        "delete_policy_group": {"id_list": [NOBODY]},
        "delete_antivirus_policy": {"policy_ids": [NOBODY]},
    }


def only_looks(watcher, event):
    """Who may only look sees all of it, and writes nothing."""
    assert raw("list_security_events", watcher, limit=10)["total_num"] > 0
    assert raw("list_host_status", watcher)["total_num"] == 2
    for operation, body in writes(event).items():
        # Nothing is there to be deleted: whoever may not write need not be told.
        also = (404,) if operation in ("change_isolated_file", "delete_isolated_file") else ()
        also += (404,) if operation.startswith("delete_") else ()
        # There may be none to remove.
        error = None
        try:
            scene.ask(operation, watcher, body=body)
        except scene.ServiceResponseException as e:
            error = e
        if error is None and operation == "remove_alarm_white_list":
            assert scene.pages("list_alarm_white_list") == []
            continue
        assert error and error.status_code in (403, *also), f"{operation}: {error}"
    refused(403, "change_switches_status", client=watcher, code="malware_sample_high_detect", body={"enabled": True})
    refused(403, "set_manual_detect", client=watcher, host_id=HOST, body={"type": "lazaret_quick"})
    refused(403, "list_agent_install_script", client=watcher, os_type="Linux", os_arch="x86_64")


def operates(theirs):
    """Who operates handles alarms and sets nothing, in their own project too."""
    assert raw("list_auto_kill_virus_status", theirs)["enabled"] is False
    for operation, body in (
        ("start_auto_kill_virus_status", {"enabled": True}),
        ("change_malware_collect_status", {"enabled": True}),
        ("add_hosts_group", {"group_name": "theirs", "host_id_list": []}),
    ):
        refused(403, operation, client=theirs, body=body)
    assert raw("list_auto_kill_virus_status", theirs)["enabled"] is False


def run():
    event = raw("list_security_events", event_types=[1004], handle_status="unhandled", limit=10)["data_list"][0]
    isolated = next(iter(raw("list_isolated_file", isolation_status="isolated")["data_list"]), None)
    (ak, sk), _ = somebody("neighbour", {"project": FOREIGN, "role": "operator"})
    theirs = sdk.client(ak, sk, FOREIGN, handler=None)
    with unchanged.nothing("what somebody of another project asked"):
        other_project(ak, sk)
        nothing_seen(theirs)
        nothing_reached(theirs, event, isolated)
        operates(theirs)
    (ak, sk), _ = somebody("watcher", {"project": sdk.PROJECT, "role": "viewer"})
    with unchanged.nothing("what somebody asked who may only look"):
        only_looks(sdk.client(ak, sk, handler=None), event)
    print("bad: rights of other projects and of those who only look")
