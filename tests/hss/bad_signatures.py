# SPDX-License-Identifier: Apache-2.0
"""Signatures that are not right, requests that are none of HSS's, and the same signed request sent twice."""

import json
import time
from datetime import UTC, datetime, timedelta

import requests

import scene
import sdk
import wire

LIST = wire.hss("/event/events")
GROUPS = wire.hss("/host-management/groups")


def key(token, **more):
    """A new access key of who has the token: AK and SK."""
    made = wire.rest("POST", "/me/access-keys", {"note": "a test", **more}, token)
    return made["access"], made["secret"]


def right():
    """What is changed below is right before: else nothing would be proved."""
    answer = wire.ask("GET", LIST, [("limit", 10), ("offset", 0)])
    assert answer.status_code == 200 and "data_list" in answer.json(), answer.text
    for minutes in (-14, 14):
        answer = wire.ask("GET", LIST, minutes=minutes)
        assert answer.status_code == 200, f"{minutes} minutes off: {answer.text}"
    name = f"signed {time.time_ns()}"
    answer = wire.ask("POST", GROUPS, body={"group_name": name, "host_id_list": []})
    assert answer.status_code == 200, answer.text
    group = the_group(name)
    answer = wire.ask("DELETE", GROUPS, [("group_id", group["group_id"])])
    assert answer.status_code == 200, answer.text


def groups_named(name):
    return [g for g in scene.pages("list_host_groups") if g["group_name"] == name]


def the_group(name):
    found = groups_named(name)
    assert len(found) == 1, f"{len(found)} groups {name}"
    return found[0]


def expired():
    """The moment that is signed is too far from now, or is none, or has been moved."""
    for minutes in (-16, 16, -60 * 24 * 365, 60 * 24 * 365):
        wire.must_refuse(wire.ask("GET", LIST, minutes=minutes), 401, "15 minutes")
        body = {"group_name": "too late", "host_id_list": []}
        wire.must_refuse(wire.ask("POST", GROUPS, body=body, minutes=minutes), 401, "15 minutes")
    method, target, headers, body = wire.signed("GET", LIST)
    for date in ("yesterday", "", "2026-11-26T12:00:00Z", "20261399T120000Z"):
        wire.must_refuse(wire.send(method, target, {**headers, "X-Sdk-Date": date}, body), 401)
    later = datetime.now(UTC) + timedelta(seconds=30)
    moved = {**headers, "X-Sdk-Date": later.strftime("%Y%m%dT%H%M%SZ")}
    wire.must_refuse(wire.send(method, target, moved, body), 401, "wrong")
    without = {k: v for k, v in headers.items() if k != "X-Sdk-Date"}
    wire.must_refuse(wire.send(method, target, without, body), 401, "X-Sdk-Date")
    assert not groups_named("too late")


def tampered():
    """Body, path, query, method, headers, secret, signature: each changed after the signing."""
    asked = {"group_name": "tampered", "host_id_list": []}
    method, target, headers, body = wire.signed("POST", GROUPS, body=asked)

    def wrong(status=401, method=method, target=target, head=None, body=body):
        return wire.must_refuse(wire.send(method, target, {**headers, **(head or {})}, body), status)

    wrong(body=json.dumps({**asked, "group_name": "tampered too"}))
    wrong(body=body + b" ")
    wrong(body=b"")
    wrong(target=f"{target}?enterprise_project_id=0")
    wrong(target=wire.hss("/host-management/group/associate"))
    wrong(target=wire.hss("/host-management/groups", wire.FOREIGN))
    wrong(method="PUT")
    wrong(method="DELETE")
    wrong(head={"Content-Type": "application/json; charset=utf-8"})
    wrong(head={"Host": "elsewhere.example"})
    authorization = headers["Authorization"]
    value = authorization.rsplit("Signature=", 1)[1]
    other = ("0" if value[0] != "0" else "1") + value[1:]
    for bad in (other, value.upper(), value[:-1], value + "0", "0" * 64, "", "é" * 32):
        text = authorization.replace(value, bad)
        wrong(head={"Authorization": text.encode()})
    # Headers that must be signed are not.
    for name in ("host", "x-sdk-date"):
        wrong(head={"Authorization": authorization.replace(f";{name}", "").replace(f"{name};", "")})
    method, target, headers, body = wire.signed("GET", LIST, [("limit", 10), ("offset", 0)])
    assert wire.send(method, target, headers).status_code == 200
    wrong(target=target.replace("limit=10", "limit=20"), method=method, body=None)
    wrong(target=target.replace("&offset=0", ""), method=method, body=None)
    wrong(target=target + "&severity=High", method=method, body=None)
    wrong(target=target.replace("event/events", "event/severity"), method=method, body=None)
    wire.must_refuse(wire.ask("GET", LIST, sk=sdk.SK[:-1] + ("a" if sdk.SK[-1] != "a" else "b")), 401)
    wire.must_refuse(wire.ask("GET", LIST, sk="x"), 401)
    # A header cannot say that the body is not signed.
    unsigned = {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}
    wire.must_refuse(wire.ask("POST", GROUPS, body=asked, headers=unsigned), 401)
    assert not [g for g in scene.pages("list_host_groups") if g["group_name"].startswith("tampered")]


def nobody():
    """Keys that nobody has, and what is no signature."""
    for ak in ("LZ" + "A" * 18, "x", "A" * 65, "' OR '1'='1", sdk.AK.lower(), sdk.AK + "A", "%00"):
        wire.must_refuse(wire.ask("GET", LIST, ak=ak), 401)
    token = wire.sign_in()
    for head in (
        {},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": "SDK-HMAC-SHA256"},
        {"Authorization": "SDK-HMAC-SHA256 Access=, SignedHeaders=, Signature="},
        {"Authorization": "V11-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=" + "0" * 64},
        {"X-Auth-Token": ""},
        {"X-Auth-Token": "lzs_nobody"},
        {"X-Auth-Token": token[:-1] + ("A" if token[-1] != "A" else "B")},
    ):
        wire.must_refuse(wire.send("GET", LIST, head), 401)


def revoked():
    """A key that was revoked, one that has ended, and what was got with them."""
    token = wire.sign_in()
    ends = datetime.now(UTC) + timedelta(seconds=3)
    short = key(token, expires_at=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
    ak, sk = key(token)
    body = {"group_name": "of a key that is gone", "host_id_list": []}
    signed = wire.signed("POST", GROUPS, body=body, ak=ak, sk=sk)
    assert wire.send(*signed).status_code == 200
    identity = {"methods": ["hw_ak_sk"], "hw_ak_sk": {"access": {"key": ak}, "secret": {"key": sk}}}
    got = wire.send("POST", "/v3/auth/tokens", {}, json.dumps({"auth": {"identity": identity}}))
    assert got.status_code == 201, got.text
    of_the_key = {"X-Auth-Token": got.headers["X-Subject-Token"]}
    assert wire.send("GET", LIST, of_the_key).status_code == 200
    wire.rest("DELETE", f"/me/access-keys/{ak}", token=token)
    wire.must_refuse(wire.ask("GET", LIST, ak=ak, sk=sk), 401)
    wire.must_refuse(wire.send(*signed), 401)
    wire.must_refuse(wire.send("GET", LIST, of_the_key), 401)
    assert wire.send("POST", "/v3/auth/tokens", {}, json.dumps({"auth": {"identity": identity}})).status_code == 401
    time.sleep(max(0, (ends - datetime.now(UTC)).total_seconds() + 0.2))
    wire.must_refuse(wire.ask("GET", LIST, ak=short[0], sk=short[1]), 401)
    group = the_group("of a key that is gone")
    scene.ask("delete_hosts_group", group_id=group["group_id"])


def twice():
    """The same signed write again is answered as before and done once; for another person it is another one."""
    name = f"once {time.time_ns()}"
    signed = wire.signed("POST", GROUPS, body={"group_name": name, "host_id_list": []})
    first, second = wire.send(*signed), wire.send(*signed)
    assert first.status_code == 200, first.text
    assert "x-lazaret-replayed" not in first.headers
    assert (second.status_code, second.content) == (first.status_code, first.content), second.text
    assert second.headers.get("x-lazaret-replayed") == "true", second.headers
    group = the_group(name)
    # Signed by another key of the same person it is a wish of its own, and the name is taken or not: never replayed.
    ak, sk = key(wire.sign_in())
    other = wire.ask("POST", GROUPS, body={"group_name": name, "host_id_list": []}, ak=ak, sk=sk)
    assert "x-lazaret-replayed" not in other.headers
    scene.ask("delete_hosts_group", group_id=group["group_id"])
    # It stays what it was: what it made is not made again.
    third = wire.send(*signed)
    assert (third.content, third.headers.get("x-lazaret-replayed")) == (first.content, "true")
    assert group["group_id"] not in [g["group_id"] for g in groups_named(name)]
    for left in groups_named(name):
        scene.ask("delete_hosts_group", group_id=left["group_id"])
    # What only looks is not kept.
    looks = wire.signed("GET", LIST)
    answers = [wire.send(*looks) for _ in range(2)]
    assert all(a.status_code == 200 and "x-lazaret-replayed" not in a.headers for a in answers)


def strangers():
    """Operations that are none of this product, paths and methods of nobody, bodies that cannot be read."""
    scene.refused(501, "list_vulnerabilities", "list_vulnerabilities")
    for o in [o for o in sdk.KNOWN["operations"] if "answer" not in o][::40]:
        target = o["path"].replace("{project_id}", sdk.PROJECT).replace("{", "").replace("}", "")
        wire.must_refuse(wire.ask(o["method"], target, body={}), 501, o["name"])
    for path in ("/nonsense", "/event", "/event/events/x", "/event/events%2F", "/host-management/%00"):
        wire.must_refuse(wire.send("GET", wire.hss(path), {}), 404)
    for method, path in (("PATCH", "/event/events"), ("DELETE", "/event/events"), ("GET", "/event/operate")):
        wire.must_refuse(wire.ask(method, wire.hss(path)), 405)
    for body in ("", "{", "nonsense", "null", "[]", '"text"', "\x00", b"\xff\xfe", '{"group_name": "a"} x', "[" * 5000):
        wire.must_refuse(wire.ask("POST", GROUPS, body=body), 400)
    deep = '{"group_name": ' + "[" * 100 + "]" * 100 + "}"
    wire.must_refuse(wire.ask("POST", GROUPS, body=deep), 400, "group_name")
    large = {"group_name": "large", "host_id_list": ["x" * (1 << 20)]}
    wire.must_refuse(patiently(lambda: wire.ask("POST", GROUPS, body=large)), 413, "1 MiB")
    assert not groups_named("large")


def patiently(call):
    """The server does not wait for all of what is too much: the connection may be gone before its answer is read."""
    for _ in range(5):
        try:
            return call()
        except requests.ConnectionError:
            continue
    raise AssertionError("no answer in five tries")


def run():
    for part in (right, expired, tampered, nobody, revoked, twice, strangers):
        part()
    print("bad: signatures, keys that are gone, repeats, strange requests")
