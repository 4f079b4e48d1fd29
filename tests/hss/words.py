# SPDX-License-Identifier: Apache-2.0
"""Words that the SDK documents for parameters of queries, by parameter, and where an operation has others."""

import re


def ranges(text):
    """`a_001-003 b` as `a_001 a_002 a_003 b`."""
    out = []
    for word in text.split():
        parts = re.fullmatch(r"(.*?)(\d+)-(\d+)", word)
        if not parts:
            out.append(word)
            continue
        name, first, last = parts.groups()
        out += [f"{name}{n:0{len(first)}}" for n in range(int(first), int(last) + 1)]
    return out


EVENT_TYPES = [
    int(n)
    for n in ranges(
        "1001-1006 1010-1012 1015-1017 2001 2012 2047-2049 3002-3005 3007 3015 3018 3027 3029-3031 3036 "
        "4002 4004 4006 4014 4020 6002 6003 13001-13004"
    )
]
CLASS_IDS = ranges(
    "container_1001-1004 containerescape_0001-0004 dockerfile_001-002 dockerproc_001 fileprotect_0001-0004 "
    "av_1002-1013 av_1015-1016 login_0001-0002 login_1001-1003 malware_0001-0002 malware_1001 procdet_0001-0002 "
    "crontab_0001-0002 procreport_0001 user_1001-1002 vmescape_0001-0003 webshell_0001 network_1001-1004 "
    "ransomware_0001-0003 fileless_0001-0006 crontab_1001 vul_exploit_0001-0003 rootkit_0001-0002 RASP_0004 RASP_0018 "
    "blockexec_001 hips_0001-0021 portscan_0001-0002 k8s_1001-1026 imgblock_0001-0010"
)
VERSIONS = ["hss.version." + v for v in "null basic advanced enterprise premium wtp container.enterprise".split()]
VERBS = (
    "mark_as_handled ignore add_to_alarm_whitelist add_to_login_whitelist isolate_and_kill unhandle do_not_ignore "
    "remove_from_alarm_whitelist remove_from_login_whitelist do_not_isolate_or_kill"
).split()
SWITCHES = (
    "malware_sample_high_detect image_pay_per_scan image_popup image_free_to_pay_popup display_unprotected_host"
).split()

# Parameters of queries.
WORDS = {
    "agent_status": "installed online offline install_failed installing not_installed not_online".split(),
    "asset_value": "important common test".split(),
    "att_ck": [
        "Reconnaissance",
        "Initial Access",
        "Execution",
        "Persistence",
        "Privilege Escalation",
        "Defense Evasion",
        "Credential Access",
        "Command and Control",
        "Impact",
    ],
    "attack_tag": (
        "attack_success attack_attempt attack_blocked abnormal_behavior collapsible_host system_vulnerability"
    ).split(),
    "category": "host container".split(),
    "charging_mode": "packet_cycle on_demand".split(),
    "detect_result": "undetected clean risk scanning".split(),
    "event_class_id": CLASS_IDS,
    "event_class_ids": CLASS_IDS,
    "event_type": EVENT_TYPES,
    "event_types": EVENT_TYPES,
    "handle_method": (
        "mark_as_handled ignore add_to_alarm_whitelist manual_isolate_and_kill auto_isolate_and_kill unhandle "
        "do_not_ignore remove_from_alarm_whitelist do_not_isolate_or_kill"
    ).split(),
    "handle_status": "unhandled handled".split(),
    "host_status": "ACTIVE SHUTOFF BUILDING ERROR".split(),
    "host_task_status": "scanning success fail cancel".split(),
    "isolation_status": "isolated restored isolating restoring".split(),
    "os_arch": "x86_64 aarch64".split(),
    "os_type": "Linux Windows".split(),
    "policy_name": ["sp_feature"],
    "protect_status": "closed opened protection_exception".split(),
    "quota_status": "normal expired freeze".split(),
    "scan_type": "quick full custom".split(),
    "severities": "Low Medium High Critical".split(),
    "severity": "Security Low Medium High Critical".split(),
    "severity_list": "Security Low Medium High Critical".split(),
    "sort_dir": "asc desc".split(),
    "sort_key": ["handle_time"],
    "start_type": "now period".split(),
    "task_status": "scanning cancel fail finish".split(),
    "type": ["pwd"],
    "used_status": "idle used".split(),
    "version": VERSIONS,
}
# Where an operation has others.
OF = {
    ("list_agent_install_script", "type"): "password ssh_key".split(),
    ("list_agent_status", "agent_status"): "not_installed online offline install_failed installing".split(),
    ("list_anti_virus_result", "severity_list"): WORDS["severities"],
    ("export_anti_virus_result", "severity_list"): WORDS["severities"],
    ("list_antivirus_handle_history", "severity_list"): WORDS["severities"],
    ("list_antivirus_handle_history", "event_type"): [0, 1],
    ("list_host_status", "sort_key"): ["risk_num"],
    ("list_quotas_detail", "category"): "host_resource container_resource".split(),
    ("list_event_forensic", "event_type"): [*EVENT_TYPES, 11001],
    ("export_event_request", "event_type"): [*EVENT_TYPES, 11001],
    ("export_event_request", "event_types"): [*EVENT_TYPES, 11001],
    ("export_event_request", "event_class_ids"): [
        *(c for c in CLASS_IDS if not c.startswith("crontab_0")),
        "honeypot_0001",
    ],
    # A name that people gave.
    ("list_anti_virus_policy", "policy_name"): None,
}
for with_serverless in (
    "list_event_att_ck list_event_forensic list_event_type show_event_attack_tag show_event_severity"
).split():
    OF[with_serverless, "category"] = "host container serverless".split()
for with_crontab in "list_security_events list_event_att_ck show_event_attack_tag".split():
    for name in ("event_type", "event_types"):
        OF[with_crontab, name] = [*EVENT_TYPES, 3026]


def documented(operation, parameter):
    """The words of a parameter; `None`: it takes any text."""
    return OF.get((operation, parameter), WORDS.get(parameter))
