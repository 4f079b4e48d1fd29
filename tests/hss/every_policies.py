# SPDX-License-Identifier: Apache-2.0
"""Policy groups: copied, changed, deployed, deleted."""

import sdk
from every_hosts import hosts
from scene import ask, pages, raw, refused
from sdk import HOSTS


def groups(**filters):
    """Rows of the list by their names."""
    return {row["group_name"]: row for row in pages("list_policy_group", **filters)}


def run():
    default = groups()["default_policy_group"]
    assert default["default_group"] is True and default["deletable"] is False and default["host_num"] == 2, default
    assert default["support_os"] == "Linux" and default["support_version"] == "hss.version.premium", default
    copy = {"name": "web servers", "description": "for the web, and no other", "group_id": default["group_id"]}
    ask("add_policy_group", body=copy)
    group = groups()["web servers"]
    assert (group["description"], group["host_num"]) == (copy["description"], 0), group
    assert group["default_group"] is False and group["deletable"] is True, group
    key = group["group_id"]
    for mode in ("high_detection", "equalization"):
        ask("change_policy_group", body={"group_id": key, "protect_mode": mode})
        assert groups(group_id=key)["web servers"]["protect_mode"] == mode
    ask("change_policy_group", body={"group_id": key, "protect_mode": "high_detection"})
    ask("add_policy_group", body={"name": "copy of a copy", "description": "the same", "group_id": key})
    again = groups(group_name="copy of")["copy of a copy"]
    assert again["protect_mode"] == "high_detection", "a copy is as what it was copied from"
    assert groups(group_id=again["group_id"]) == {"copy of a copy": again}
    assert groups(container_mode=True) == {} and groups(group_name="nobody's") == {}
    deployed = {"target_policy_group_id": key, "operate_all": False, "deploy_type": "host", "host_id_list": [HOSTS[0]]}
    ask("associate_policy_group", body=deployed)
    assert groups()["web servers"]["host_num"] == 1 and groups()["default_policy_group"]["host_num"] == 1
    assert groups()["web servers"]["deletable"] is False
    assert set(hosts(policy_group_id=key)) == {HOSTS[0]} == set(hosts(policy_group_name="web serv"))
    row = hosts()[HOSTS[0]]
    assert (row["policy_group_id"], row["policy_group_name"]) == (key, "web servers"), row
    refused(400, "delete_policy_group", "hosts have", body={"id_list": [again["group_id"], key]})
    assert {"web servers", "copy of a copy"} <= set(groups()), "all of them or none"
    ask("associate_policy_group", body={"target_policy_group_id": again["group_id"], "operate_all": True})
    assert groups()["copy of a copy"]["host_num"] == 2 and groups()["web servers"]["host_num"] == 0
    ask("associate_policy_group", body={"target_policy_group_id": default["group_id"], "operate_all": True})
    assert groups()["default_policy_group"]["host_num"] == 2
    everywhere = {"enterprise_project_id": "all_granted_eps"}
    for mode in ("high_detection", "equalization", default["protect_mode"]):
        ask("change_policy_group", body={"group_id": default["group_id"], "protect_mode": mode}, **everywhere)
        assert groups()["default_policy_group"]["protect_mode"] == mode
    for parameters in ({}, everywhere):
        refused(400, "delete_policy_group", "default", body={"id_list": [default["group_id"]]}, **parameters)
    ask("delete_policy_group", body={"id_list": [key, again["group_id"]]})
    assert set(groups()) == {"default_policy_group"}
    assert pages("list_host_groups") == [], "nothing is left of what deploying made"
    assert raw("list_policy_group", enterprise_project_id="all_granted_eps")["total_num"] >= 2, "each project has one"
    assert sdk.PROJECT in default.get("lazaret_project", sdk.PROJECT)
    print("every: policy groups")
