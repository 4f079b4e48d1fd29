# SPDX-License-Identifier: Apache-2.0
"""Hosts: the list, values, groups, editions and their quotas, and looking at one."""

import scene
import sdk
from scene import ask, pages, raw, refused
from sdk import HOSTS, until

ENTERPRISE, NULL = "hss.version.enterprise", "hss.version.null"


def hosts(**filters):
    """Rows of the list by their ids."""
    return {row["host_id"]: row for row in pages("list_host_status", **filters)}


def listing():
    """Both hosts, as they stand, by each filter."""
    both = hosts()
    assert sorted(both) == sorted(HOSTS), both
    for row in both.values():
        assert row["agent_id"] == row["host_id"] and row["os_type"] == "Linux" and row["host_name"], row
        assert (row["agent_status"], row["host_status"]) == ("online", "ACTIVE"), row
        assert (row["version"], row["protect_status"]) == (ENTERPRISE, "opened"), row
        assert row["enterprise_project_id"] == sdk.PROJECT and row["asset_value"] == "common", row
        assert row["agent_version"] and row["kernel_version"] and row["os_name"], row
    first = both[HOSTS[0]]
    one = {HOSTS[0]}
    for filters, found in (
        ({"host_id": HOSTS[0]}, one),
        ({"host_id_list": f"{HOSTS[0]},{HOSTS[1]}"}, set(HOSTS)),
        ({"host_name": first["host_name"][:3].upper()}, set(HOSTS)),
        ({"host_name_list": f"{first['host_name']},nobody"}, set(HOSTS)),
        ({"host_name": "nobody's"}, set()),
        ({"agent_status": "online"}, set(HOSTS)),
        ({"agent_status": "not_online"}, set()),
        ({"version": ENTERPRISE, "above_version": True}, set(HOSTS)),
        ({"version": NULL}, set()),
        ({"version": NULL, "above_version": True}, set(HOSTS)),
        ({"os_type": "Windows"}, set()),
        ({"protect_status": "opened"}, set(HOSTS)),
        ({"protect_status": "closed"}, set()),
        ({"detect_result": "undetected"}, set()),
        ({"protect_interrupt": False}, set(HOSTS)),
        ({"has_vul": True}, set()),
        ({"has_vul": False, "has_baseline": False, "refresh": True}, set(HOSTS)),
        ({"vpc_id": "vpc-1"}, set()),
        ({"outside_host": True}, set(HOSTS)),
        ({"charging_mode": "on_demand"}, set(HOSTS)),
        ({"charging_mode": "packet_cycle"}, set()),
        ({"enterprise_project_id": "all_granted_eps"}, set(HOSTS)),
        ({"enterprise_project_id": scene.FOREIGN}, set()),
    ):
        assert set(hosts(**filters)) == found, filters
    for host, row in both.items():
        if "private_ip" in row:
            same = {h for h, r in both.items() if r.get("private_ip") == row["private_ip"]}
            for name in ("private_ip", "ip_addr", "private_ip_list"):
                assert host in set(hosts(**{name: row["private_ip"]})) == same, (name, row["private_ip"])
    intruded = {h for h, r in both.items() if r["intrusion"] > 0}
    assert intruded and set(hosts(has_intrusion=True)) == intruded == set(hosts(detect_result="risk"))
    for direction in ("asc", "desc"):
        order = [r["intrusion"] for r in pages("list_host_status", sort_key="risk_num", sort_dir=direction)]
        assert order == sorted(order, reverse=direction == "desc"), order
    rows = {r["host_id"]: r for r in raw("list_hosts_risk", host_id_list=[HOSTS[1]])["data_list"]}
    assert set(rows) == {HOSTS[1]}, rows
    for name in ("intrusion", "detect_result", "version", "agent_status"):
        assert rows[HOSTS[1]][name] == both[HOSTS[1]][name], name
    agents = raw("list_agent_status", agent_id=HOSTS[0])
    assert agents["total_num"] == 1 and agents["data_list"][0]["agent_status"] == "online", agents
    assert raw("list_agent_status", agent_status="offline")["total_num"] == 0


def values():
    """How much a host matters; what an agent may use is its own."""
    for value in ("important", "test", "common"):
        ask("associate_host_asset_value", body={"asset_value": value, "host_id_list": [HOSTS[0]]})
        assert hosts(host_id=HOSTS[0])[HOSTS[0]]["asset_value"] == value
        assert HOSTS[0] in hosts(asset_value=value)
        counted = {v["value_type"]: v["host_num"] for v in raw("show_hosts_statistics")["asset_value_list"]}
        assert counted[value] == (2 if value == "common" else 1) and sum(counted.values()) == 2, counted
        events = raw("list_security_events", asset_value=value, host_id=HOSTS[0], limit=10)
        assert events["total_num"] > 0 and events["data_list"][0]["asset_value"] == value
    ask("associate_host_asset_value", body={"asset_value": "common", "host_id_list": HOSTS * 100})
    ask("batch_update_host_resource", body={"operate_all": False, "host_ids": [HOSTS[0]], "mode": "default"})
    ask("batch_update_host_resource", body={"operate_all": True, "mode": "default"})
    for mode in ("customized", "adaptive"):
        refused(400, "batch_update_host_resource", "mode", body={"operate_all": True, "mode": mode, "cpu_limit": "5"})


def the_group(name):
    found = [g for g in pages("list_host_groups", group_name=name) if g["group_name"] == name]
    assert len(found) <= 1, found
    return found[0] if found else None


def grouping():
    """Groups of hosts."""
    ask("add_hosts_group", body={"group_name": "web", "host_id_list": [HOSTS[0]]})
    group = the_group("web")
    assert group["host_num"] == 1 and group["host_id_list"] == [HOSTS[0]], group
    assert set(hosts(group_id=group["group_id"])) == {HOSTS[0]} == set(hosts(group_name="web"))
    assert hosts()[HOSTS[0]]["group_name"] == "web"
    key = group["group_id"]
    ask("change_hosts_group", body={"group_name": "front", "group_id": key, "host_id_list": [HOSTS[1]]})
    assert the_group("web") is None and the_group("front")["host_id_list"] == [HOSTS[1]]
    ask("associate_hosts_group", body={"group_id": key, "host_id_list": [HOSTS[0]], "operate_all": False})
    assert sorted(the_group("front")["host_id_list"]) == sorted(HOSTS)
    ask("change_hosts_group", body={"group_name": "front", "group_id": key, "host_id_list": []})
    assert the_group("front")["host_num"] == 0
    ask("associate_hosts_group", body={"group_id": key, "operate_all": True})
    numbers = raw("show_hosts_statistics")
    assert {"server_group_id": key, "server_group_name": "front", "host_num": 2} in numbers["server_group_list"]
    assert numbers["host_group_num"] == 1
    ask("delete_hosts_group", group_id=key)
    assert the_group("front") is None
    assert all("group_id" not in row for row in hosts().values()), "hosts stay, without a group"


def editions():
    """What protects a host is bound to it, and taken from it."""
    numbers = raw("show_hosts_statistics")
    assert (numbers["total_num"], numbers["version_enterprise_num"], numbers["protected_num"]) == (2, 2, 2), numbers
    quotas = {q["version"]: q for q in raw("show_resource_quotas")["data_list"]}
    assert quotas[ENTERPRISE]["used_num"] == 2 and quotas["hss.version.premium"]["used_num"] == 0, quotas
    assert [q["version"] for q in raw("show_resource_quotas", version=ENTERPRISE)["data_list"]] == [ENTERPRISE]
    details = raw("list_quotas_detail", used_status="used", version=ENTERPRISE)
    held = {row["host_id"]: row for row in details["data_list"]}
    assert set(held) == set(HOSTS) and details["total_num"] == 2 and details["used_num"] == 2, details
    for row in held.values():
        assert (row["quota_status"], row["charging_mode"], row["expire_time"]) == ("normal", "on_demand", -1), row
    for filters in ({"host_id_list": [HOSTS[1]]}, {"resource_id": held[HOSTS[1]]["resource_id"]}):
        found = raw("list_quotas_detail", **filters)["data_list"]
        assert [row["host_id"] for row in found] == [HOSTS[1]], filters
    assert raw("list_quotas_detail", quota_status="expired")["total_num"] == 0
    assert raw("list_quotas_detail", category="container_resource")["total_num"] == 0
    ask("cancel_hosts_quota", body={"resource_id_list": [held[HOSTS[1]]["resource_id"]]})
    bare(HOSTS[1])
    protect = {"version": ENTERPRISE, "charging_mode": "on_demand", "host_id_list": [HOSTS[1]]}
    ask("switch_hosts_protect_status", body=protect)
    assert hosts()[HOSTS[1]]["version"] == ENTERPRISE
    ask("switch_hosts_protect_status", body={"version": NULL, "host_id_list": [HOSTS[1]]})
    bare(HOSTS[1])
    pool = raw("show_resource_quotas", version=ENTERPRISE)["data_list"][0]["available_resources_list"][0]
    tagged = {**protect, "resource_id": pool["resource_id"], "tags": [{"key": "team", "value": "web"}]}
    ask("switch_hosts_protect_status", body=tagged)
    assert {row["version"] for row in hosts().values()} == {ENTERPRISE}
    refused(409, "switch_hosts_protect_status", body={"version": "hss.version.premium", "host_id_list": [HOSTS[1]]})
    refused(501, "upgrade_agents", "package", body={"operate_all": False, "host_id_list": [HOSTS[1]]})
    refused(501, "uninstall_agents", "package", body={"host_id_list": [HOSTS[1]]})


def bare(host):
    """Without an edition a host is not protected, and says so."""
    row = hosts()[host]
    assert (row["version"], row["protect_status"]) == (NULL, "closed"), row
    numbers = raw("show_hosts_statistics")
    assert (numbers["unprotected_num"], numbers["version_enterprise_num"]) == (1, 1), numbers


def looking():
    """A look at one host now; for weak passwords nobody looks here."""
    refused(400, "set_manual_detect", "passwords", host_id=HOSTS[1], body={"type": "pwd"})
    assert ask("show_scan_status", host_id=HOSTS[1], type="pwd").scan_status == "neverscan"
    ask("set_manual_detect", host_id=HOSTS[1], body={"type": "lazaret_quick"})

    def scanned():
        status = raw("show_scan_status", host_id=HOSTS[1], type="lazaret_quick")
        assert status["scan_status"] in ("scanning", "scaned"), status
        return status["scan_status"] == "scaned" and status

    status = until("the look at the host", scanned)
    assert status["scaned_time"] <= scene.now_ms() + 1000, status


def run():
    for part in (listing, values, grouping, editions, looking):
        part()
    print("every: hosts, groups, editions, quotas")
