# SPDX-License-Identifier: Apache-2.0
"""The unmodified SDK before a server, and what is counted of it: which operations, and whether their answers are as the
SDK's models say."""

import json
import os
import re
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.http.http_handler import HttpHandler
from huaweicloudsdkhss.v5 import HssClient

URL = os.environ["LAZARET_URL"]
CA = os.environ.get("LAZARET_CA") or None
AK, SK = os.environ["LAZARET_AK"], os.environ["LAZARET_SK"]
PROJECT = os.environ["LAZARET_PROJECT"]
HOSTS = os.environ["LAZARET_HOSTS"].split(",")
VOLUMES = os.environ["LAZARET_VOLUMES"].split(",")
PROGRAMS = os.environ["LAZARET_PROGRAMS"]
COVERED = os.environ["LAZARET_COVERED"]

with open(os.environ["LAZARET_SDK"], encoding="ascii") as file:
    KNOWN = json.load(file)
PATHS = [
    (o["method"], re.compile("^" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(o["path"])) + "$"), o["path"].count("{"), o)
    for o in KNOWN["operations"]
]
TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool, "date": str, "datetime": str}


def operation(method, path):
    """The operation of a request; words go before names, as on the server."""
    found = [(names, o) for m, p, names, o in PATHS if m == method and p.match(path)]
    return min(found, key=lambda f: f[0])[1] if found else None


def wrong(kind, value, where):
    """What of an answer is not as the model says."""
    if value is None:
        return [f"{where}: null instead of absent"]
    inner = re.fullmatch(r"list\[(.*)\]", kind)
    if inner:
        if not isinstance(value, list):
            return [f"{where}: no list"]
        return [w for n, v in enumerate(value) for w in wrong(inner.group(1), v, f"{where}[{n}]")]
    if kind in TYPES:
        good = isinstance(value, TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))
        return [] if good else [f"{where}: {value!r} is no {kind}"]
    fields = KNOWN["models"].get(kind)
    if fields is None:
        return []
    if not isinstance(value, dict):
        return [f"{where}: no object"]
    out = []
    for key, v in value.items():
        if key in fields:
            out += wrong(fields[key], v, f"{where}.{key}")
        elif not key.startswith("lazaret_"):
            out.append(f"{where}.{key}: the SDK knows no such field")
    return out


def watch(response, **_):
    """Looks at every answer as it came over the wire."""
    path = re.sub(r"^https?://[^/]+", "", response.request.url).split("?")[0]
    o = operation(response.request.method, path)
    assert o, f"{response.request.method} {path} is none of the SDK's"
    assert response.headers.get("X-Request-Id"), f"{o['name']}: no request id"
    with open(COVERED, "a", encoding="ascii") as covered:
        covered.write(f"{o['name']} {response.status_code}\n")
    if response.status_code >= 400:
        body = response.json()
        for field in ("error_code", "error_msg", "request_id"):
            assert isinstance(body.get(field), str) and body[field], f"{o['name']}: {body}"
    elif "json" in response.headers.get("Content-Type", ""):
        bad = wrong(o["answer"], response.json(), o["name"])
        assert not bad, "\n".join(bad)


def client(ak=AK, sk=SK, project=PROJECT, handler=watch):
    """A client as its users make it."""
    config = HttpConfig.get_default_config()
    config.timeout = (5, 60)
    config.ssl_ca_cert = CA
    handlers = HttpHandler()
    if handler:
        handlers.add_response_handler(handler)
    return (
        HssClient.new_builder()
        .with_http_config(config)
        .with_http_handler(handlers)
        .with_credentials(BasicCredentials(ak, sk, project))
        .with_endpoints([URL])
        .build()
    )


def refused(status, call, request, word=""):
    """The call must be refused so; the error."""
    try:
        answer = call(request)
    except (ClientRequestException, ServiceResponseException) as e:
        assert e.status_code == status, f"{request}: {e.status_code} {e.error_code} {e.error_msg}, not {status}"
        assert e.error_code and e.error_msg and e.request_id, str(e)
        assert word.lower() in e.error_msg.lower(), f"{e.error_msg!r} does not say {word!r}"
        return e
    raise AssertionError(f"{request} was not refused: {answer}")


def until(what, look, seconds=40):
    """What `look` finds, waiting for it."""
    end = time.monotonic() + seconds
    found = look()
    while not found and time.monotonic() < end:
        time.sleep(0.25)
        found = look()
    assert found, f"{what}: not within {seconds} s"
    return found


def program(name, host, as_name):
    """Puts a stand-in on a host; where it lies then. In one go: a host looks at a file when it is closed or moved."""
    path = os.path.join(VOLUMES[host], as_name)
    with open(os.path.join(PROGRAMS, name), "rb") as file:
        content = file.read()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), "wb") as file:
        os.fchmod(file.fileno(), 0o755)
        file.write(content + f"# {as_name}\n".encode())
    return path
