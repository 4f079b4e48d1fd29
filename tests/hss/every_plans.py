# SPDX-License-Identifier: Apache-2.0
"""Plans of scans, and scans that are taken back."""

import scene
from every_scans import ended, task
from scene import ask, pages
from sdk import HOSTS


def planning():
    """Plans of scans."""
    plan = {
        "policy_name": "nightly",
        "start_type": "period",
        "scan_period": "week",
        "scan_period_date": 1,
        "scan_type": "custom",
        "scan_hour": 3,
        "scan_minute": 30,
        "timezone_offset": 480,
        "file_types": [1, 3],
        "scan_dir": "/srv;/opt",
        "ignore_dir": "/srv/cache",
        "action": "auto",
        "whether_paid_task": False,
        "host_ids": [HOSTS[1]],
    }
    made = ask("create_anti_virus_policy", body=plan)
    assert made.result is True, made
    row = planned("nightly")
    assert row["policy_id"] == made.policy_id and row["host_num"] == 1 and row["invalidate"] is False, row
    assert [h["host_id"] for h in row["host_info_list"]] == [HOSTS[1]], row
    for name in (
        "start_type scan_period scan_period_date scan_hour scan_minute scan_dir ignore_dir action whether_paid_task"
    ).split():
        assert row[name] == plan[name], f"{name}: {row[name]!r}"
    assert row["file_type_list"] == [1, 3] and row["next_start_time"] > scene.now_ms(), row
    changed = {"policy_id": made.policy_id, "policy_name": "daily", "start_type": "period", "scan_period": "day"}
    changed |= {"scan_type": "full", "scan_hour": 4, "action": "manual", "host_ids": HOSTS}
    ask("change_antivirus_policy", body=changed)
    assert planned("nightly") is None
    row = planned("daily")
    assert (row["scan_period"], row["scan_hour"], row["action"], row["host_num"]) == ("day", 4, "manual", 2), row
    assert "scan_dir" not in row and "scan_period_date" not in row, row
    at = (scene.now_ms() // 60_000 + 24 * 60) * 60_000
    later = {"policy_name": "once", "start_type": "later", "scan_time": at, "scan_type": "quick", "action": "auto"}
    once = ask("create_anti_virus_policy", body={**later, "host_ids": HOSTS})
    row = planned("once")
    assert (row["start_type"], row["scan_time"], row["next_start_time"]) == ("later", at, at), row
    assert [p["policy_name"] for p in pages("list_anti_virus_policy", scan_type="quick")] == ["once"]
    hosts = pages("list_anti_virus_host", policy_id=once.policy_id)
    assert sorted(h["host_id"] for h in hosts) == sorted(HOSTS)
    ask("delete_antivirus_policy", body={"policy_ids": [made.policy_id, once.policy_id]})
    assert pages("list_anti_virus_policy") == []


def planned(name):
    found = pages("list_anti_virus_policy", policy_name=name)
    return found[0] if found else None


def cancelling():
    """A scan of both hosts begins on the second one minutes later: taken back, and begun again for what it missed."""
    asked = {"task_name": "to be cancelled", "scan_type": "quick", "action": "manual", "host_ids": HOSTS}
    key = ask("create_anti_virus_task", body=asked).task_id
    assert task(key)["task_status"] == "scanning"
    assert key in [t["task_id"] for t in pages("list_anti_virus_task", task_status="scanning")]
    ask("switch_antivirus_task", body={"task_id": key, "task_name": "to be cancelled"})
    row = ended(key)
    assert row["cancel_host_num"] >= 1 and row["cancel_host_num"] + row["success_host_num"] == 2 and row["rescan"], row
    assert key in [t["task_id"] for t in pages("list_anti_virus_task", host_task_status=["cancel"])]
    again = ask("create_anti_virus_task", body={**asked, "task_id": key, "host_ids": [HOSTS[1]]}).task_id
    assert again != key
    row = ended(again)
    assert (row["success_host_num"], row["host_info_list"][0]["host_id"]) == (1, HOSTS[1]), row


def run():
    planning()
    cancelling()
    print("every: plans of scans, scans taken back")
