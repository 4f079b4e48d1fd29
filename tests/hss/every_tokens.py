# SPDX-License-Identifier: Apache-2.0
"""Tokens as IAM gives them, with a password and with an access key, and what can be done with them."""

import json

import scene
import sdk
import wire


def own_key(note):
    """A client with a key of its own: each key has its own limit of requests."""
    made = wire.rest("POST", "/me/access-keys", {"note": note}, wire.sign_in())
    return sdk.client(made["access"], made["secret"])


def by_password(name="admin", password=wire.PASSWORD):
    user = {"name": name, "password": password, "domain": {"name": "lazaret"}}
    return {"methods": ["password"], "password": {"user": user}}


def by_key(ak=sdk.AK, sk=sdk.SK):
    return {"methods": ["hw_ak_sk"], "hw_ak_sk": {"access": {"key": ak}, "secret": {"key": sk}}}


def run():
    path = wire.hss("/event/events?limit=10")
    wanted = scene.raw("list_security_events", limit=10)
    tokens = []
    ways = [(identity, project) for identity in (by_password(), by_key()) for project in (sdk.PROJECT, None)]
    for identity, project in ways:
        got = wire.iam(identity, project)
        token = got.json()["token"]
        assert token["methods"] == identity["methods"] and token["user"]["name"] == "admin", token
        assert token["issued_at"] < token["expires_at"], token
        assert ("project" in token) == bool(project) and ("domain" in token) != bool(project), token
        if project:
            assert token["project"]["id"] == project, token
        tokens.append(got.headers["X-Subject-Token"])
    assert len(set(tokens)) == len(tokens)
    for token in tokens:
        head = {"X-Auth-Token": token, "Content-Type": "application/json"}
        answer = wire.send("GET", path, head)
        assert answer.status_code == 200 and answer.json() == wanted, answer.text
        name = f"by token {tokens.index(token)}"
        body = json.dumps({"group_name": name, "host_id_list": []})
        made = wire.send("POST", wire.hss("/host-management/groups"), head, body)
        assert made.status_code == 200, made.text
        # Without a signature each request is one of its own.
        again = wire.send("POST", wire.hss("/host-management/groups"), head, body)
        assert "x-lazaret-replayed" not in again.headers, again.headers
        for group in scene.pages("list_host_groups", group_name=name):
            scene.ask("delete_hosts_group", group_id=group["group_id"])
    for identity, status in (
        (by_password(password="another one entirely"), 401),
        (by_password(name="nobody"), 401),
        (by_password(password=""), 400),
        (by_key(sk=sdk.SK[:-1] + ("a" if sdk.SK[-1] != "a" else "b")), 401),
        (by_key(ak="LZ" + "A" * 18), 401),
        (by_key(sk=""), 400),
        ({"methods": ["token"], "token": {"id": tokens[0]}}, 400),
        ({"methods": []}, 400),
        ({}, 400),
    ):
        answer = wire.iam(identity, status=status)
        assert "X-Subject-Token" not in answer.headers
        error = answer.json()["error"]
        assert error["code"] == status and error["message"] and error["title"], error
    wire.iam(by_key(), "nonsense", status=403)
    assert wire.send("GET", "/v3/auth/tokens", {}).status_code == 405
    print("every: tokens by password and by access key")
