# SPDX-License-Identifier: Apache-2.0
"""Every field of an event and of an isolated file, held against the file that was dropped and against its host."""

import hashlib
import os
import stat
import uuid

import scene
import sdk


def is_uuid(found):
    return str(uuid.UUID(found)) == found


def has(part):
    return lambda found: part in found


def within(dropped_ms):
    """A moment after the drop and not after now; clocks are those of one machine."""
    return lambda found: dropped_ms - 1000 <= found <= scene.now_ms() + 1000


def every(found, checks, where, needed=()):
    """Every field must be as its check says; one without a check is one that nobody thought of."""
    for name, value in found.items():
        assert name in checks, f"{where}.{name} = {value!r}: no check of it"
        check = checks[name]
        good = check(value) if callable(check) else value == check
        assert good, f"{where}.{name} = {value!r} is not as it should be"
    missing = [name for name in needed if name not in found]
    assert not missing, f"{where}: without {', '.join(missing)}"


def host_of(number):
    """What the list of hosts says of a host."""
    rows = scene.raw("list_host_status", host_id=sdk.HOSTS[number])["data_list"]
    assert len(rows) == 1 and rows[0]["host_id"] == sdk.HOSTS[number], rows
    return rows[0]


def python_digest():
    """Of the program that drops files: this one."""
    with open(os.path.realpath("/proc/self/exe"), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_event(event, number, path, digest, dropped_ms, like):
    """An event about a file that this program dropped on a host; `like` has the fields that differ by event."""
    host = host_of(number)
    file = {"file_path": path, "file_hash": digest, "file_sha256": digest}
    address = host.get("private_ip")
    detail = {
        "agent_id": sdk.HOSTS[number],
        "file_hash": digest,
        "file_path": path,
        "private_ip": address,
        "keyword": path,
        "hash": digest,
    }
    resource = {
        "project_id": sdk.PROJECT,
        "enterprise_project_id": sdk.PROJECT,
        "vm_name": host["host_name"],
        "vm_uuid": sdk.HOSTS[number],
        "sys_arch": os.uname().machine,
        "os_type": "Linux",
        "os_name": has(host["os_name"]),
        "os_version": has(host.get("os_version", "")),
    }
    process = {
        "process_cmdline": has("story.py"),
        "process_uid": os.getuid(),
        "process_hash": python_digest(),
        "process_file_hash": python_digest(),
    }
    checks = {
        "event_id": is_uuid,
        "event_name": has(path),
        "event_abstract": event["event_name"],
        "host_name": host["host_name"],
        "host_id": sdk.HOSTS[number],
        "private_ip": address,
        "public_ip": host.get("public_ip"),
        "os_type": "Linux",
        "host_status": "ACTIVE",
        "agent_status": "online",
        "protect_status": "opened",
        "asset_value": host["asset_value"],
        "occur_time": within(dropped_ms),
        "handle_time": within(dropped_ms),
        "event_count": lambda n: n >= 1,
        "lazaret_first_time": within(dropped_ms),
        "lazaret_test": True,
        "lazaret_isolated": is_uuid,
        "malware_info": lambda found: set(found) <= {"malware_type", "confidence"},
        "resource_info": lambda found: every(found, resource, "resource_info", ("vm_uuid", "vm_name")) is None,
        "file_info_list": lambda found: len(found) == 1 and every(found[0], file, "file", file) is None,
        "operate_detail_list": lambda found: len(found) == 1 and every(found[0], detail, "detail", ("hash",)) is None,
        "process_info_list": lambda found: len(found) == 1 and every(found[0], process, "process") is None,
        "user_info_list": [{"user_id": os.getuid()}],
        **like,
    }
    always = (
        "event_id event_class_id event_type event_name severity host_name host_id os_type agent_status asset_value "
        "attack_tag occur_time handle_status operate_accept_list operate_detail_list file_info_list event_count"
    )
    every(event, checks, "event", always.split())


def of_isolated(row, event, number, program, dropped_ms, mode):
    """An isolated file: of this event, with the mode that it had."""
    host, path = host_of(number), scene.path_of(event)
    name = os.path.basename(path)
    digest, size = scene.digest(program, name), len(scene.content(program, name))
    checks = {
        "os_type": "Linux",
        "host_id": sdk.HOSTS[number],
        "host_name": host["host_name"],
        "file_hash": digest,
        "file_path": path,
        "file_attr": str(stat.S_IFREG | mode),
        "isolation_status": "isolated",
        "private_ip": host.get("private_ip"),
        "public_ip": host.get("public_ip"),
        "asset_value": host["asset_value"],
        "update_time": within(dropped_ms),
        "agent_version": host["agent_version"],
        "isolate_source": "event",
        "event_name": event["event_name"],
        "agent_event_info": lambda found: same_event(found, event),
        "lazaret_id": event["lazaret_isolated"],
        "lazaret_status": "isolated",
        "lazaret_class": event["lazaret_class"],
        "lazaret_family": lambda found: found != "",
        "lazaret_size": size,
        "lazaret_isolated_time": within(dropped_ms),
        "lazaret_project": sdk.PROJECT,
    }
    always = "host_id host_name file_hash file_path file_attr isolation_status update_time isolate_source asset_value"
    every(row, checks, "isolated file", always.split())


def same_event(found, event):
    """What is told of the event beside the file is the same as in the list of events."""
    for name in ("event_id", "event_class_id", "event_type", "event_name", "severity", "host_id", "handle_status"):
        if name in found or name == "event_id":
            assert found[name] == event[name], f"agent_event_info.{name}: {found.get(name)!r}, not {event[name]!r}"
    return True
