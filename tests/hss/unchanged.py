# SPDX-License-Identifier: Apache-2.0
"""What writes could change, read through the SDK: after refused ones it must be as before."""

import contextlib

import scene
from words import SWITCHES

# What hosts say of themselves by the way.
PASSING = {"occur_time", "update_time", "agent_update_time", "lazaret_hits_total", "lazaret_hits_today", "current_time"}


def kept(row):
    """A row without what passes."""
    if isinstance(row, dict):
        return {k: kept(v) for k, v in row.items() if k not in PASSING}
    return [kept(v) for v in row] if isinstance(row, list) else row


def snapshot():
    """Everything, by name."""
    one = {
        "automatic isolation": scene.raw("list_auto_kill_virus_status"),
        "consent": scene.raw("list_malware_collect_status"),
        "reminders": scene.raw("show_malware_reminders"),
        "who is told": scene.raw("list_alarm_config"),
        "quotas": scene.raw("show_resource_quotas"),
    }
    one |= {code: scene.raw("show_switches_status", code=code) for code in SWITCHES}
    for name in (
        "list_policy_group list_host_groups list_alarm_white_list list_isolated_file list_anti_virus_policy "
        "list_quotas_detail list_host_status"
    ).split():
        one[name] = scene.pages(name)
    one["scans"] = [t["task_id"] for t in scene.pages("list_anti_virus_task")]
    one["history"] = scene.pages("list_event_handle_history")
    for e in scene.pages("list_security_events", limit=1000):
        # One by one: new ones may come.
        one[f"event {e['event_id']}"] = [e["handle_status"], e.get("handle_method"), e.get("handler")]
    return {name: kept(value) for name, value in one.items()}


@contextlib.contextmanager
def nothing(what):
    """Nothing changes inside."""
    before = snapshot()
    yield
    after = snapshot()
    for name, value in before.items():
        assert after.get(name) == value, f"{what}: {name} was\n{value}\nand is\n{after.get(name)}"
