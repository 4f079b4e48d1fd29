# SPDX-License-Identifier: Apache-2.0
"""Requests past the SDK's operations: signed by its signer and then changed, and those of the server's own API."""

import json
import os
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

import sdk

PLACE = urlsplit(sdk.URL)
PASSWORD = os.environ["LAZARET_PASSWORD"]
FOREIGN = os.environ["LAZARET_FOREIGN"]
SESSION = requests.Session()


def send(method, target, headers, body=None):
    """A request as it is, to path and query; the answer."""
    return SESSION.request(
        method, sdk.URL + target, headers=headers, data=body, verify=sdk.CA or True, allow_redirects=False, timeout=30
    )


def signed(method, path, query=(), body=None, ak=sdk.AK, sk=sdk.SK, headers=(), minutes=None):
    """What the SDK's signer makes of a request: method, path with query, headers, body.

    `minutes` moves the moment that is signed; a `body` that is no text is sent as JSON."""
    if body is not None and not isinstance(body, (str, bytes)):
        body = json.dumps(body)
    head = {"Content-Type": "application/json", **dict(headers)}
    if minutes is not None:
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        head["X-Sdk-Date"] = moment.strftime("%Y%m%dT%H%M%SZ")
    request = SdkRequest(
        method=method,
        schema=PLACE.scheme,
        host=PLACE.netloc,
        resource_path=quote(path),
        query_params=list(query),
        header_params=head,
        body=body,
    )
    Signer(BasicCredentials(ak, sk, sdk.PROJECT)).sign(request)
    return request.method, request.uri, dict(request.header_params), request.body


def ask(method, path, query=(), body=None, **how):
    """Signs and sends at once."""
    return send(*signed(method, path, query, body, **how))


def hss(path, project=sdk.PROJECT):
    """The path of an operation."""
    return f"/v5/{project}{path}"


def must_refuse(answer, status, word=""):
    """The answer must be an error in HSS's shape with this status; its text."""
    said = f"{answer.request.method} {answer.request.url[:200]}: {answer.status_code} {answer.text[:500]}"
    assert answer.status_code == status, f"{said}, not {status}"
    body = answer.json()
    for field in ("error_code", "error_msg", "request_id"):
        assert isinstance(body.get(field), str) and body[field], f"{said}: {field}"
    assert answer.headers.get("X-Request-Id") == body["request_id"], said
    assert word.lower() in body["error_msg"].lower(), f"{said} does not say {word!r}"
    return body["error_msg"]


def rest(method, path, body=None, token=None, status=None):
    """A request of the server's own API; its answer as JSON."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    answer = send(method, f"/api/v1{path}", headers, None if body is None else json.dumps(body))
    good = answer.ok if status is None else answer.status_code == status
    assert good, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.text else None


def token(ak=sdk.AK, sk=sdk.SK, project=None):
    """What IAM gives for an access key: for `X-Auth-Token`, and for the server's own API."""
    identity = {"methods": ["hw_ak_sk"], "hw_ak_sk": {"access": {"key": ak}, "secret": {"key": sk}}}
    return iam(identity, project).headers["X-Subject-Token"]


def iam(identity, project=None, status=201):
    """A request for a token."""
    auth = {"identity": identity}
    if project:
        auth["scope"] = {"project": {"id": project}}
    answer = send("POST", "/v3/auth/tokens", {"Content-Type": "application/json"}, json.dumps({"auth": auth}))
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    return answer


def sign_in(user="admin", password=PASSWORD):
    """A token of a user of the server."""
    return rest("POST", "/login", {"user": user, "password": password})["token"]
