# SPDX-License-Identifier: Apache-2.0
"""Every word that the SDK documents for a parameter of a query is taken by its operation."""

import scene
import sdk
import words
from every_tokens import own_key

# Where there are very many, and another operation is asked all of them.
SOME = {"event_type": "list_event_operates", "event_class_id": "list_security_events"}


def parameters():
    """Operations that look, with what they must be given and each parameter that has words."""
    for o in sdk.KNOWN["operations"]:
        if "answer" in o and o["method"] == "GET" and o["name"] not in NEVER:
            for name, kind in o["query"].items():
                known = words.documented(o["name"], name)
                if known is not None:
                    yield o["name"], name, kind, known


NEVER = {
    "list_anti_virus_paid_hosts",
    "show_antivirus_free_quota",
    "show_antivirus_pay_per_scan_status",
}


def asked(operation, name, kind, known):
    """What to ask for, so that each word was asked for once."""
    if kind.startswith("list["):
        return [known[at : at + 100] for at in range(0, len(known), 100)]
    if name in SOME and SOME[name] != operation and len(known) > 10:
        return [known[0], known[2], known[len(known) // 2], known[-1]]
    return known


def needed(event):
    """What operations ask for beside."""
    return {
        "list_event_forensic": {"event_id": event},
        "list_related_events": {"event_id": event},
        "list_same_events": {"event_id": event},
        "show_event_attack_tag": {"category": "host"},
        "show_scan_status": {"host_id": sdk.HOSTS[0]},
    }


def run():
    client = own_key("words")
    events = scene.raw("list_security_events", event_types=[1004], limit=10)["data_list"]
    beside = needed(events[0]["event_id"])
    count = 0
    for operation, name, kind, known in parameters():
        for value in asked(operation, name, kind, known):
            parameters_now = {**beside.get(operation, {}), name: value}
            if operation in ("list_event_forensic", "list_related_events"):
                # Of another type or place there is no such event: said so, and not that the word is none.
                answered = taken(client, operation, parameters_now)
            else:
                answered = scene.ask(operation, client, **parameters_now).status_code
            assert answered in (200, 404), f"{operation}: {name}={value}: {answered}"
            count += 1
    heads = [["event_name", "name"]]
    for name in ("severity", "handle_status", "category", "attack_tag", "asset_value", "att_ck"):
        for value in words.documented("export_event_request", name)[:2]:
            scene.ask("export_event_request", client, body=heads, **{name: value})
            count += 1
    print(f"every: {count} questions with documented words")


def taken(client, operation, parameters_now):
    """200, or the status of the refusal."""
    try:
        return scene.ask(operation, client, **parameters_now).status_code
    except scene.ServiceResponseException as e:
        return e.status_code
