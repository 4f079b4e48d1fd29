# SPDX-License-Identifier: Apache-2.0
"""Scans for malicious programs: begun, followed, their results handled and exported."""

import os

import every_exports
import scene
import sdk
from scene import ask, pages, raw, refused, seen
from sdk import HOSTS, until

NAME = "every-scan"


def candidates():
    """Hosts that can be scanned."""
    assert sorted(h["host_id"] for h in pages("list_anti_virus_host")) == sorted(HOSTS)
    for filters, found in (
        ({"host_id": HOSTS[0]}, [HOSTS[0]]),
        ({"scan_type": "full", "start_type": "now"}, HOSTS),
        ({"host_name": "nobody's"}, []),
        ({"group_id": HOSTS[0]}, []),
    ):
        rows = pages("list_anti_virus_host", **filters)
        assert sorted(r["host_id"] for r in rows) == sorted(found), filters
        assert all((r["agent_status"], r["os_type"]) == ("online", "Linux") for r in rows)


def task(key):
    """A scan by its id."""
    return next(t for t in pages("list_anti_virus_task") if t["task_id"] == key)


def ended(key):
    """The same at its end."""
    return until(f"the end of the scan {key}", lambda: task(key)["task_status"] == "finish" and task(key), 60)


def scanning():
    """A scan of one host finds the file that lies there; the scan, and the path of the file."""
    path = sdk.program("webshell-medium", 0, NAME)
    assert seen(path)["lazaret_origin"] != "scan"
    begun = ask(
        "create_anti_virus_task",
        body={"task_name": NAME, "scan_type": "quick", "action": "manual", "host_ids": [HOSTS[0]]},
    )
    assert begun.result is True and not begun.fail_reasons, begun
    row = ended(begun.task_id)
    assert (row["task_name"], row["scan_type"], row["start_type"]) == (NAME, "quick", "now"), row
    assert (row["host_num"], row["success_host_num"], row["fail_host_num"], row["cancel_host_num"]) == (1, 1, 0, 0), row
    assert row["whether_paid_task"] is False and row["rescan"] is False, row
    host = row["host_info_list"][0]
    assert (host["host_id"], host["host_task_status"], host["scan_progress"]) == (HOSTS[0], "success", "100%"), host
    assert host["virus_num"] >= 1 and host["scan_file_num"] >= host["virus_num"] and host["deleted"] is False, host
    for filters, there in (
        ({"task_name": NAME}, True),
        ({"task_name": "nobody's"}, False),
        ({"task_status": "finish"}, True),
        ({"task_status": "scanning"}, False),
        ({"host_task_status": ["success"]}, True),
        ({"host_task_status": ["fail", "cancel"]}, False),
        ({"last_days": 1}, True),
        ({"begin_time": "2020-01-01 00:00:00", "end_time": "2020-12-31 23:59:59"}, False),
        ({"whether_paid_task": True}, False),
        ({"whether_paid_task": False}, True),
        ({"host_name": host["host_name"]}, True),
    ):
        found = [t["task_id"] for t in pages("list_anti_virus_task", **filters)]
        assert (begun.task_id in found) is there, filters
    return begun.task_id, path


def result(path):
    """The result about a path."""
    rows = [r for r in pages("list_anti_virus_result", file_path=path) if r["file_info"]["file_path"] == path]
    assert len(rows) == 1, rows
    return rows[0]


def results(key, path):
    """What it found, by each filter."""
    row = until("the result", lambda: pages("list_anti_virus_result", file_path=path) and result(path))
    digest, content = scene.digest("webshell-medium", NAME), scene.content("webshell-medium", NAME)
    file, host = row["file_info"], row["resource_info"]
    assert (file["file_hash"], file["file_size"]) == (digest, len(content)), file
    assert file["file_attr"] == str(os.stat(path).st_mode) and file["file_owner"] == str(os.getuid()), file
    assert (host["host_id"], host["agent_id"]) == (HOSTS[0], HOSTS[0]), host
    assert (row["task_id"], row["task_name"], row["event_type"]) == (key, NAME, 0), row
    assert (row["severity"], row["handle_status"], row["isolate_tag"]) == ("Medium", "unhandled", "none"), row
    assert row["operate_detail_list"] == [{"keyword": path, "hash": digest}], row
    assert "manual_isolate_and_kill" in row["operate_accept_list"] or "isolate_and_kill" in row["operate_accept_list"]
    for right, wrong in (
        ({"handle_status": "unhandled"}, {"handle_status": "handled"}),
        ({"severities": "Medium"}, {"severities": "High"}),
        ({"severity_list": ["Medium", "Low"]}, {"severity_list": ["Critical"]}),
        ({"asset_value": "common"}, {"asset_value": "important"}),
        ({"malware_name": row["malware_name"]}, {"malware_name": "nobody's"}),
        ({"file_hash": digest}, {"file_hash": "0" * 64}),
        ({"task_name": NAME}, {"task_name": "nobody's"}),
        ({"manual_isolate": False}, {"manual_isolate": True}),
        ({"id_list": [row["result_id"]]}, {"id_list": [HOSTS[0]]}),
        ({"file_hash_list": [digest, "0" * 64]}, {"file_hash_list": ["0" * 64]}),
        ({"host_name": host["host_name"]}, {"host_name": "nobody's"}),
        ({"enterprise_project_id": "all_granted_eps"}, {"enterprise_project_id": scene.FOREIGN}),
    ):
        for filters, there in ((right, True), (wrong, False)):
            ids = [r["result_id"] for r in pages("list_anti_virus_result", **filters)]
            assert (row["result_id"] in ids) is there, filters
    numbers = raw("show_antivirus_statistic")
    assert numbers["total_malware_num"] == len(pages("list_anti_virus_result")) >= 1, numbers
    assert numbers["malware_host_num"] >= 1 and numbers["total_task_num"] >= 1, numbers
    return row


def operate(verb, row, **more):
    """Handles a result as the console's users do."""
    file = row["file_info"]
    one = {
        "agent_id": row["resource_info"]["agent_id"],
        "result_id": row["result_id"],
        "event_type": row["event_type"],
        "occur_time": row["occur_time"],
        **{k: file[k] for k in ("file_hash", "file_path", "file_attr")},
    }
    return {"operate_type": verb, "memo": f"{verb}, says the team", "operate_results": [one], **more}


def stands(path, status, method=None):
    """Waits until a result is handled so."""

    def look():
        row = result(path)
        return (row["handle_status"], row.get("handle_method")) == (status, method) and row

    return until(f"{path}: {status} {method}", look)


def handling(row, path):
    """Each thing that can be done about a result, and its undoing; the history has what was done."""
    for verb, method, undo in (
        ("mark_as_handled", "mark_as_handled", "unhandle"),
        ("ignore", "ignore", "do_not_ignore"),
        ("add_to_alarm_whitelist", "add_to_alarm_whitelist", "remove_from_alarm_whitelist"),
        ("manual_isolate_and_kill", "isolate_and_kill", "do_not_isolate_or_kill"),
    ):
        ask("handle_anti_virus_result", body=operate(verb, row))
        handled = stands(path, "handled", method)
        assert handled["memo"] == f"{verb}, says the team", handled
        assert os.path.exists(path) is (verb != "manual_isolate_and_kill")
        if verb == "manual_isolate_and_kill":
            assert handled["isolate_tag"] == "manual", handled
            source = until("the isolated file", lambda: scene.isolated(path))
            assert source["isolate_source"] == "antivirus", source
            found = source["antivirus_result_info"]
            assert (found["result_id"], found["file_path"]) == (row["result_id"], path), found
        ask("handle_anti_virus_result", body=operate(undo, row))
        stands(path, "unhandled")
        until(f"{path} is back", lambda: os.path.exists(path))
    refused(409, "handle_anti_virus_result", body=operate("unhandle", row))
    history = [h for h in pages("list_antivirus_handle_history") if h["result_id"] == row["result_id"]]
    done = {(h["handle_method"], h.get("notes")) for h in history}
    for verb, method in (
        ("mark_as_handled", "mark_as_handled"),
        ("ignore", "ignore"),
        ("add_to_alarm_whitelist", "add_to_alarm_whitelist"),
        ("manual_isolate_and_kill", "isolate_and_kill"),
    ):
        assert (method, f"{verb}, says the team") in done, f"{verb} is not in the history: {sorted(done)}"
    for entry in history:
        assert "admin" in entry["user_name"] and entry["file_path"] == path and entry["severity"] == "Medium", entry
    by_hand = pages("list_antivirus_handle_history", handle_method="manual_isolate_and_kill")
    assert [h for h in by_hand if h["result_id"] == row["result_id"]], by_hand
    assert pages("list_antivirus_handle_history", handle_method="auto_isolate_and_kill", file_path=path) == []


def exporting(row):
    """Results as a file."""
    heads = {"export_headers": [["file_path", "path"], ["severity", "severity"]]}
    export = ask("export_anti_virus_result", limit=10, file_path=row["file_info"]["file_path"], body=heads)
    lines = every_exports.lines(export.task_id)
    assert [line["id"] for line in lines] == [row["result_id"]], lines


def run():
    candidates()
    key, path = scanning()
    row = results(key, path)
    handling(row, path)
    exporting(row)
    for name, more in (
        ("show_antivirus_pay_per_scan_status", {}),
        ("change_antivirus_pay_per_scan_status", {"body": {"enabled": False}}),
        ("show_antivirus_free_quota", {}),
        ("list_anti_virus_paid_hosts", {"limit": 10, "offset": 0}),
        ("create_anti_virus_paid_task", {"body": {"scan_type": "quick", "action": "manual", "host_ids": HOSTS}}),
    ):
        refused(501, name, name, **more)
    print("every: scans and their results")
