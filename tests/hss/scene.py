# SPDX-License-Identifier: Apache-2.0
"""What the scripts share: calls by name, what the lists say of a file, and handling an alarm."""

import hashlib
import json
import os
import time

import huaweicloudsdkhss.v5 as v5
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException

import sdk
import wire

ME = sdk.client()
FOREIGN = wire.FOREIGN
# When a write went out last: two that are alike within a second are one request, sent twice.
SENT = {}


def request(name, **parameters):
    """The SDK's request of an operation."""
    return getattr(v5, name.title().replace("_", "") + "Request")(**parameters)


def ask(name, client=None, **parameters):
    """Calls an operation; its answer as the SDK reads it."""
    call = getattr(client or ME, name)
    if name.startswith(("list_", "show_", "download_")):
        return call(request(name, **parameters))
    alike = f"{id(client)} {name} {json.dumps(parameters, default=repr, sort_keys=True)}"
    if SENT.get(alike) == int(time.time()):
        time.sleep(1.01 - time.time() % 1)
    answer = call(request(name, **parameters))
    SENT[alike] = int(time.time())
    return answer


def raw(name, client=None, **parameters):
    """The same, as it came over the wire."""
    return json.loads(ask(name, client, **parameters).raw_content)


def refused(status, name, word="", client=None, **parameters):
    """The call must be refused so."""
    return sdk.refused(status, getattr(client or ME, name), request(name, **parameters), word)


def error(name, client=None, **parameters):
    """The error with which a call must end."""
    try:
        answer = ask(name, client, **parameters)
    except ServiceResponseException as e:
        return e
    raise AssertionError(f"{name} was not refused: {answer}")


def now_ms():
    return int(time.time() * 1000)


def content(program, as_name):
    """The bytes that `sdk.program` writes."""
    with open(os.path.join(sdk.PROGRAMS, program), "rb") as file:
        return file.read() + f"# {as_name}\n".encode()


def digest(program, as_name):
    """Their SHA-256."""
    return hashlib.sha256(content(program, as_name)).hexdigest()


def pages(name, limit=100, client=None, **parameters):
    """All of a list, page by page."""
    out, offset = [], 0
    while True:
        page = raw(name, client, offset=offset, limit=limit, **parameters)
        out += page["data_list"]
        offset += limit
        if offset >= page["total_num"]:
            assert len(out) == page["total_num"], f"{name}: {len(out)} of {page['total_num']}"
            return out


def path_of(event):
    """Where the file lies that an event is about; empty for events about none."""
    files = event.get("file_info_list") or [{}]
    return files[0].get("file_path", "")


def event(path, **filters):
    """The newest event about a path; `None`: there is none."""
    for found in raw("list_security_events", limit=200, **filters)["data_list"]:
        if path_of(found) == path:
            return found
    return None


def seen(path, **filters):
    """The same, waited for."""
    return sdk.until(f"the event about {path}", lambda: event(path, **filters))


def isolated(path, status="isolated"):
    """The isolated file of a path; `None`: none of this status."""
    found = raw("list_isolated_file", file_path=path, limit=10)["data_list"]
    return next((f for f in found if f["file_path"] == path and f["isolation_status"] == status), None)


def order(verb, *events, note=None, rules=None):
    """What handling events asks for: what an event says of itself goes back with it."""
    listed = []
    for e in events:
        details = [v5.EventDetailRequestInfo(**known(d)) for d in e.get("operate_detail_list", [])]
        listed.append(
            v5.OperateEventRequestInfo(
                event_class_id=e["event_class_id"],
                event_id=e["event_id"],
                event_type=e["event_type"],
                occur_time=e["occur_time"],
                operate_detail_list=details,
            )
        )
    return v5.ChangeEventRequestInfo(
        operate_type=verb, handler=note, operate_event_list=listed, event_white_rule_list=rules
    )


def known(detail):
    """What of an answer's detail a request has too."""
    return {k: v for k, v in detail.items() if k in v5.EventDetailRequestInfo.openapi_types}


def handle(verb, *events, client=None, **more):
    """Handles events as the console's users do."""
    return ask("change_event", client, body=order(verb, *events, **more))


def becomes(event_id, path, status, method=None):
    """Waits until an event is handled so; the event."""

    def look():
        events = raw("list_security_events", limit=200)["data_list"]
        found = next((e for e in events if e["event_id"] == event_id), None)
        if found and found["handle_status"] == status and (method is None or found.get("handle_method") == method):
            return found
        return None

    return sdk.until(f"{path}: {status} {method or ''}", look)


def settled():
    """Waits until the hosts go by what was set last."""
    token = wire.token()

    def look(host):
        told = wire.rest("GET", f"/hosts/{host}", token=token)["host"]
        return told["generation"] > 0 and told["generation"] == told["generation_applied"]

    for host in sdk.HOSTS:
        sdk.until(f"the settings in force on {host}", lambda host=host: look(host))
