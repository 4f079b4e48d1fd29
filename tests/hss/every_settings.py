# SPDX-License-Identifier: Apache-2.0
"""Settings of a project: written, read back, and put back as they were."""

import scene
import sdk
import wire
from scene import ask, raw, refused
from words import SWITCHES


def collecting():
    """The consent that samples leave the hosts."""
    assert ask("list_malware_collect_status").enabled is False, "nobody has given it"
    for on in (True, True, False):
        ask("change_malware_collect_status", body={"enabled": on})
        assert ask("list_malware_collect_status").enabled is on
    assert ask("list_malware_collect_status", enterprise_project_id=scene.FOREIGN).enabled is False
    ask("change_malware_collect_status", enterprise_project_id=scene.FOREIGN, body={"enabled": True})
    assert ask("list_malware_collect_status", enterprise_project_id=scene.FOREIGN).enabled is True
    assert ask("list_malware_collect_status").enabled is False, "of the other project only"
    ask("change_malware_collect_status", enterprise_project_id=scene.FOREIGN, body={"enabled": False})


def reminders():
    """Whether people are reminded that nothing acts by itself."""
    assert ask("show_malware_reminders").reminders is True, "nobody has said no"
    for on in (False, False, True):
        ask("set_malware_reminders", body={"reminders": on})
        assert ask("show_malware_reminders").reminders is on
    ask("set_malware_reminders", enterprise_project_id=scene.FOREIGN, body={"reminders": False})
    assert ask("show_malware_reminders", enterprise_project_id=scene.FOREIGN).reminders is False
    assert ask("show_malware_reminders").reminders is True, "of the other project only"
    ask("set_malware_reminders", enterprise_project_id=scene.FOREIGN, body={"reminders": True})
    refused(400, "show_malware_reminders", "enterprise_project_id", enterprise_project_id="all_granted_eps")


def switches():
    """High detection is a switch; others of HSS stand as they stand."""
    before = {code: ask("show_switches_status", code=code).enabled for code in SWITCHES}
    code = "malware_sample_high_detect"
    for on in (not before[code], before[code]):
        ask("change_switches_status", code=code, body={"enabled": on})
        assert ask("show_switches_status", code=code).enabled is on
        mode = raw("list_policy_group", group_name="default_policy_group")["data_list"][0]["protect_mode"]
        assert mode == ("high_detection" if on else "equalization"), mode
    for code in SWITCHES[1:]:
        ask("change_switches_status", code=code, body={"enabled": before[code]})
        refused(400, "change_switches_status", code, code=code, body={"enabled": not before[code]})
    assert before == {code: ask("show_switches_status", code=code).enabled for code in SWITCHES}
    on = ask("list_auto_kill_virus_status").enabled
    ask("start_auto_kill_virus_status", enterprise_project_id=scene.FOREIGN, body={"enabled": not on})
    assert ask("list_auto_kill_virus_status", enterprise_project_id=scene.FOREIGN).enabled is not on
    assert ask("list_auto_kill_virus_status").enabled is on, "of the other project only"
    ask("start_auto_kill_virus_status", enterprise_project_id=scene.FOREIGN, body={"enabled": on})


def self_protection():
    """Lazaret has no such policy, and says so."""
    assert ask("show_policy_switch_status", policy_name="sp_feature").enable is False
    ask("change_policy_switch_status", body={"policy_name": "sp_feature", "enable": False})
    refused(400, "change_policy_switch_status", "enable", body={"policy_name": "sp_feature", "enable": True})
    assert ask("show_policy_switch_status", policy_name="sp_feature").policy_name == "sp_feature"


def told():
    """Who is told of alarms, and of which."""
    config = raw("list_alarm_config")
    assert not config["daily_alarm"] and not config["realtime_alarm"], config
    refused(400, "update_alarm_config", "target", body={"realtime_alarm": True})
    token = wire.token()
    settings = {"webhook": {"url": "https://alarms.example.invalid/hook"}}
    asked = {"project": sdk.PROJECT, "name": "on call", "enabled": False, "settings": settings}
    target = wire.rest("POST", "/targets", asked, token)["target"]["id"]
    wanted = {
        "alarm_type": "sms",
        "display_name": "night shift",
        "topic_urn": target,
        "daily_alarm": True,
        "realtime_alarm": False,
        "alarm_level": "high,critical",
        "ignored_event_class_list": ["1016", "1015"],
    }
    ask("update_alarm_config", body=wanted)
    config = raw("list_alarm_config")
    assert config["display_name"] == "night shift" and config["topic_urn"] == target, config
    assert (config["daily_alarm"], config["realtime_alarm"]) == (True, False), config
    assert config["alarm_level"] == ["high", "critical"], config
    assert sorted(config["ignored_event_class_list"]) == ["1015", "1016"], config
    ask("update_alarm_config", body={"daily_alarm": False, "realtime_alarm": False, "alarm_level": "medium"})
    config = raw("list_alarm_config")
    assert (config["daily_alarm"], config["realtime_alarm"]) == (False, False), config
    assert config["alarm_level"] == ["medium"] and sorted(config["ignored_event_class_list"]) == ["1015", "1016"]
    for level in ("info,low", "low", "medium", "high", "critical"):
        ask("update_alarm_config", body={"alarm_level": level})
    for ignored in (["1001", "1002", "1017"], ["4002", "8003"], ["RASP", "weak_passwords"], []):
        ask("update_alarm_config", body={"ignored_event_class_list": ignored})
    assert raw("list_alarm_config")["ignored_event_class_list"] == []
    head = {"Authorization": f"Bearer {token}"}
    tag = wire.send("GET", f"/api/v1/targets/{target}", head).headers["ETag"]
    gone = wire.send("DELETE", f"/api/v1/targets/{target}", {**head, "If-Match": tag})
    assert gone.ok, gone.text


def installing():
    """The line that brings a host in."""
    for more in ({}, {"batch_install": True, "type": "password"}, {"batch_install": True, "type": "ssh_key"}):
        lines = raw("list_agent_install_script", os_type="Linux", os_arch="x86_64", **more)["install_script_list"]
        assert sorted(line["package_type"] for line in lines) == ["deb", "rpm"], lines
        for line in lines:
            assert line["cmd"] and line["package_download_url"].startswith(("http://", "https://")), line
            assert ("root@$host" in line["cmd"]) == bool(more), line
    # No agent runs there.
    for os_type, os_arch in (("Windows", "x86_64"), ("Linux", "aarch64")):
        script = raw("list_agent_install_script", os_type=os_type, os_arch=os_arch, outside_host=True)
        assert script["install_script_list"] == [], script
    refused(400, "list_agent_install_script", "os_arch", os_type="Windows", os_arch="aarch64")


def run():
    for part in (collecting, reminders, switches, self_protection, told, installing):
        part()
    print("every: settings")
