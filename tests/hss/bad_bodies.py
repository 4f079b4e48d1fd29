# SPDX-License-Identifier: Apache-2.0
"""Bodies that are well formed and wrong: words, lengths, what does not fit to what is there, ids of nobody."""

import scene
import sdk
from scene import refused

NOBODY = "01890000-0000-7000-8000-000000000000"
HOST = sdk.HOSTS[0]


def wrong(operation, right, word=None, **fields):
    """Each of these values in a body that is right otherwise must be refused, and named."""
    for field, values in fields.items():
        for value in values:
            refused(400, operation, word or field, body={**right, field: value})


def of_events(event):
    """Handling, and whitelisting."""
    one = {"event_id": event["event_id"]}
    details = [{"file_hash": "0" * 64}, {"file_path": "/x"}, {"agent_id": sdk.HOSTS[1]}, {"process_pid": -1}]
    other = [{"event_type": 1016}, {"event_class_id": "av_1016"}, {"occur_time": 1}]
    other += [{"operate_detail_list": [d]} for d in details]
    rule = {"field_key": "file_path", "field_value": "/x/y", "judge_type": "equal", "scope": True}
    ignores = {"operate_type": "ignore", "operate_event_list": [one]}
    wrong(
        "change_event",
        ignores,
        operate_type=["nonsense", "add_to_login_whitelist", ""],
        handler=["x" * 257],
        operate_event_list=[[], [{}], *([{**one, **o}] for o in other)],
        event_white_rule_list=[[rule]],
    )
    others = [
        {"field_key": "nonsense"},
        {"field_key": "login_ip", "field_value": "10.0.0.1"},
        {"field_key": "file/process hash", "field_value": "short"},
        {"judge_type": "nonsense"},
        {"event_type": 99999},
        {"field_value": ""},
        {"field_value": "relative"},
        {"agent_ids": [HOST]},
        {"agent_ids": [HOST] * 1001, "scope": False},
        {"scope": False},
    ]
    whitelists = {**ignores, "operate_type": "add_to_alarm_whitelist"}
    wrong("change_event", whitelists, event_white_rule_list=[[rule, {**rule, **o}] for o in others])
    wrong(
        "batch_change_event",
        {"operate_type": "ignore", "event_type": 1004},
        operate_type=["nonsense"],
        event_type=[99999],
        category=["serverless"],
        handler=["x" * 257],
    )
    entry = {"hash": "0" * 64, "description": "", "event_type": 1016}
    others = [{"white_field": "nonsense"}, {"judge_type": "nonsense"}, {"event_type": 99999}, {"hash": "0" * 65}]
    wrong(
        "remove_alarm_white_list",
        {"data_list": [entry]},
        data_list=[[], [{"description": "only"}], *([{**entry, **o}] for o in others)],
        delete_all=[True],
    )
    file = {"host_id": HOST, "file_hash": "0" * 64, "file_path": "/x"}
    for operation in ("change_isolated_file", "delete_isolated_file"):
        without = [[{k: v for k, v in file.items() if k != name}] for name in file]
        wrong(operation, {}, data_list=[[], [{}], *without])


def of_hosts(default):
    """Values, groups, editions, policy groups."""
    value = {"asset_value": "test", "host_id_list": [HOST]}
    wrong("associate_host_asset_value", value, asset_value=["nonsense", ""], host_id_list=[[], [""]])
    wrong(
        "batch_update_host_resource",
        {"operate_all": False, "mode": "default", "host_ids": [HOST]},
        mode=["nonsense", "customized", "adaptive"],
        host_ids=[[], [""]],
        cpu_limit=["x" * 33],
        mem_limit=["x" * 33],
        operate_all=[None],
    )
    wrong(
        "switch_hosts_protect_status",
        {"version": "hss.version.enterprise", "host_id_list": [HOST]},
        version=["hss.version.nonsense", ""],
        charging_mode=["nonsense"],
        host_id_list=[[]],
        resource_id=["x" * 129],
        tags=[[{"key": "", "value": "v"}], [{"key": "k" * 129, "value": "v"}], [{"key": "k", "value": "v" * 256}]],
    )
    group = {"group_name": "bad", "host_id_list": []}
    wrong("add_hosts_group", group, group_name=["", "x" * 129], host_id_list=[[""], [f"{HOST},{HOST}"]])
    wrong("associate_hosts_group", {"group_id": NOBODY, "host_id_list": [HOST]}, host_id_list=[[]], group_id=[""])
    wrong("cancel_hosts_quota", {}, resource_id_list=[[], [""]])
    wrong(
        "add_policy_group",
        {"name": "bad", "description": "bad", "group_id": default},
        name=["", "x" * 33, "a/b", "default_policy_group_2"],
        description=["x" * 65, "<script>"],
        group_id=["", "short", "x" * 65, "../" * 12],
    )
    mode = {"group_id": default, "protect_mode": "equalization"}
    wrong("change_policy_group", mode, protect_mode=["nonsense", ""], group_id=["", "short"])
    wrong("delete_policy_group", {}, id_list=[[], [NOBODY] * 51, [default], ["short"]])
    wrong(
        "associate_policy_group",
        {"target_policy_group_id": default, "host_id_list": [HOST]},
        deploy_type=["nonsense", "pod", "workload", "cluster"],
        host_id_list=[[]],
        target_policy_group_id=["", "short"],
    )
    switch = {"policy_name": "sp_feature", "enable": False}
    wrong("change_policy_switch_status", switch, policy_name=["nonsense", ""], enable=[True, None])
    wrong(
        "update_alarm_config",
        {"alarm_level": "high"},
        alarm_level=["nonsense", "info"],
        alarm_type=["nonsense"],
        ignored_event_class_list=[["nonsense"]],
        topic_urn=["urn:smn:a:b:c"],
    )
    for host_id, kind in ((HOST, "nonsense"), (HOST, ""), ("x" * 129, "lazaret_quick")):
        refused(400, "set_manual_detect", host_id=host_id, body={"type": kind})


def of_scans():
    """Scans and their plans and results."""
    task = {"task_name": "bad", "scan_type": "quick", "action": "manual", "host_ids": [HOST]}
    wrong(
        "create_anti_virus_task",
        task,
        task_name=["", "x" * 256],
        scan_type=["nonsense", ""],
        action=["nonsense", ""],
        host_ids=[[], [""]],
        task_id=["x" * 65],
    )
    wrong(
        "create_anti_virus_policy",
        {"policy_name": "bad", "start_type": "period", "scan_period": "day", "scan_hour": 3, **task},
        policy_name=["", "x" * 256],
        start_type=["nonsense", ""],
        scan_period=["nonsense"],
        scan_type=["nonsense"],
        action=["nonsense"],
        scan_hour=[24, -1],
        scan_minute=[60],
        scan_period_date=[29],
        timezone_offset=[841],
        file_types=[[7], [-1]],
        ignore_dir=["relative", "/a/../b"],
        scan_dir=["/only/custom"],
        whether_paid_task=[True],
        host_ids=[[]],
    )
    wrong("delete_antivirus_policy", {}, policy_ids=[[], [""]])
    result = {"operate_type": "ignore", "operate_results": [{"result_id": NOBODY}]}
    wrong(
        "handle_anti_virus_result",
        result,
        operate_type=["nonsense", ""],
        memo=["x" * 513],
        operate_results=[[], [{}]],
    )
    strange = [[{"result_id": NOBODY, "event_type": 11}]]
    wrong("handle_anti_virus_result", result, "event_type", operate_results=strange)


def nobodys(event):
    """Ids of nobody: 404, and of several nothing is done when one of them is not there."""
    one, lost = {"event_id": event["event_id"]}, {"event_id": NOBODY}
    file = {"host_id": HOST, "file_hash": "0" * 64, "file_path": "/x"}
    for operation, body in (
        ("change_event", {"operate_type": "ignore", "operate_event_list": [lost]}),
        ("change_event", {"operate_type": "ignore", "operate_event_list": [one, lost]}),
        ("change_event", {"operate_type": "ignore", "operate_event_list": [{"event_id": f"{one['event_id']},x"}]}),
        ("change_event", {"operate_type": "ignore", "operate_event_list": [{"event_id": "../../hosts"}]}),
        ("change_isolated_file", {"data_list": [file]}),
        ("delete_isolated_file", {"data_list": [file]}),
        ("remove_alarm_white_list", {"data_list": [{"hash": "0" * 64, "description": "", "event_type": 1016}]}),
        ("update_alarm_white_list_host", {"rule_id": NOBODY, "scope": True}),
        ("associate_host_asset_value", {"asset_value": "test", "host_id_list": [HOST, NOBODY]}),
        ("batch_update_host_resource", {"operate_all": False, "mode": "default", "host_ids": [NOBODY]}),
        ("switch_hosts_protect_status", {"version": "hss.version.null", "host_id_list": [HOST, NOBODY]}),
        ("add_hosts_group", {"group_name": "bad", "host_id_list": [NOBODY]}),
        ("change_hosts_group", {"group_id": NOBODY, "group_name": "bad"}),
        ("associate_hosts_group", {"group_id": NOBODY, "host_id_list": [HOST]}),
        ("add_policy_group", {"name": "bad", "description": "bad", "group_id": NOBODY}),
        ("change_policy_group", {"group_id": NOBODY, "protect_mode": "equalization"}),
        ("delete_policy_group", {"id_list": [NOBODY]}),
        ("associate_policy_group", {"target_policy_group_id": NOBODY, "host_id_list": [HOST]}),
        ("cancel_hosts_quota", {"resource_id_list": [NOBODY]}),
        ("change_antivirus_policy", {"policy_id": NOBODY, "policy_name": "bad"}),
        ("delete_antivirus_policy", {"policy_ids": [NOBODY]}),
        ("switch_antivirus_task", {"task_id": NOBODY}),
        ("handle_anti_virus_result", {"operate_type": "ignore", "operate_results": [{"result_id": NOBODY}]}),
    ):
        refused(404, operation, body=body)
    refused(404, "set_manual_detect", host_id=NOBODY, body={"type": "lazaret_quick"})
    refused(404, "show_scan_status", host_id=NOBODY)
    refused(404, "delete_hosts_group", group_id=NOBODY)
    refused(404, "show_export_task", task_id=NOBODY)
    refused(404, "list_alarm_white_list_host_detail", rule_id=NOBODY)
    refused(404, "download_event_source_file", file_hash="0" * 64)
    for operation in ("list_event_forensic", "list_same_events", "list_related_events", "list_similar_handled_events"):
        refused(404, operation, event_id=NOBODY)


def run():
    event = scene.raw("list_security_events", event_types=[1004], handle_status="unhandled", limit=10)["data_list"][0]
    default = scene.raw("list_policy_group", group_name="default_policy_group")["data_list"][0]["group_id"]
    of_events(event)
    of_hosts(default)
    of_scans()
    nobodys(event)
