# SPDX-License-Identifier: Apache-2.0
"""Exports, followed to their end and read, and samples, taken home and opened."""

import base64
import csv
import hashlib
import hmac
import io
from urllib.parse import urlsplit

import scene
import sdk
import wire
from scene import ask, raw, refused, seen
from sdk import until


def lines(task):
    """The rows of an export when it has ended."""

    def look():
        found = raw("show_export_task", task_id=task)
        assert found["task_status"] in ("running", "success"), found
        return found["task_status"] == "success" and found

    export = until("the export", look)
    assert export["task_id"] == task and export["file_id"] and export["file_name"].endswith(".csv"), export
    place = urlsplit(export["lazaret_download"])
    answer = wire.send("GET", f"{place.path}?{place.query}", {"Authorization": f"Bearer {wire.token()}"})
    assert answer.ok, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def events():
    """Events as a file: those of a filter and no others."""
    heads = [["event_name", "name"], ["severity", "severity"]]
    for filters in (
        {},
        {"severity": "Medium"},
        {"event_types": [1015, 1016], "handle_status": "unhandled"},
        {"event_name": "every-page"},
        {"category": "container"},
        {"export_size": 3},
    ):
        export = ask("export_event_request", body=heads, **filters)
        asked = {k: v for k, v in filters.items() if k != "export_size"}
        wanted = [e["event_id"] for e in scene.pages("list_security_events", **asked)]
        found = [line["id"] for line in lines(export.task_id)]
        if "export_size" in filters:
            # Others of the same millisecond are not torn apart.
            assert set(wanted[:3]) <= set(found) < set(wanted), filters
            assert export.record_total_num == 3
        else:
            assert sorted(found) == sorted(wanted), f"{filters}: {len(found)} of {len(wanted)}"
            assert export.record_total_num == len(wanted), filters
    refused(404, "show_export_task", task_id="0" * 8)
    print("every: exports")


def samples():
    """The file that an event is about, with the consent that it may leave its host."""
    content = scene.content("trojan-low", "every-sample")
    path = sdk.program("trojan-low", 0, "every-sample")
    digest = scene.digest("trojan-low", "every-sample")
    event = seen(path)
    refused(404, "download_event_source_file", file_hash=digest)
    forensic = raw("list_event_forensic", event_id=event["event_id"])
    assert forensic["support_download_file"] is False and forensic["malware_file_hash"] == digest, forensic
    token = wire.token()
    ask("change_malware_collect_status", body={"enabled": True})
    wire.rest("PUT", "/switches/malware_cloud_scan", {"project": sdk.PROJECT, "on": True}, token)
    scene.settled()
    wire.rest("POST", f"/alarms/{event['event_id']}/collect-sample", {}, token)
    until(
        "the sample",
        lambda: raw("list_event_forensic", event_id=event["event_id"])["support_download_file"],
    )
    archive = ask("download_event_source_file", file_hash=digest.upper()).raw_content
    assert opened(archive, digest) == content, "the archive has other bytes"
    refused(404, "download_event_source_file", file_hash=digest, enterprise_project_id=scene.FOREIGN)
    wire.rest("PUT", "/switches/malware_cloud_scan", {"project": sdk.PROJECT, "on": False}, token)
    ask("change_malware_collect_status", body={"enabled": False})
    # The cloud scan has begun a scan of all hosts.
    for task in scene.pages("list_anti_virus_task", task_status="scanning"):
        ask("switch_antivirus_task", body={"task_id": task["task_id"]})
    until("the end of all scans", lambda: raw("show_antivirus_statistic")["scanning_task_num"] == 0)
    print("every: a sample was taken home and opened")


def opened(archive, password):
    """What an age file has that was closed with a password (age-encryption.org/v1)."""
    # Of the tests' packages, and not of the SDK's.
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    head, _, rest = archive.partition(b"\n---")
    version, recipient, sealed = head.split(b"\n")
    assert version == b"age-encryption.org/v1", version
    kind, salt, work = recipient.removeprefix(b"-> ").split(b" ")
    assert kind == b"scrypt", kind
    whole = b"age-encryption.org/v1/scrypt" + unpadded(salt)
    wrap = hashlib.scrypt(password.encode(), salt=whole, n=1 << int(work), r=8, p=1, maxmem=1 << 30, dklen=32)
    file_key = ChaCha20Poly1305(wrap).decrypt(bytes(12), unpadded(sealed), None)
    payload = rest.partition(b"\n")[2]
    nonce, parts = payload[:16], payload[16:]
    pseudo = hmac.new(nonce, file_key, hashlib.sha256).digest()
    stream = ChaCha20Poly1305(hmac.new(pseudo, b"payload\x01", hashlib.sha256).digest())
    out, step = b"", (64 << 10) + 16
    for at in range(0, len(parts), step):
        last = b"\x01" if at + step >= len(parts) else b"\x00"
        out += stream.decrypt((at // step).to_bytes(11, "big") + last, parts[at : at + step], None)
    return out


def unpadded(text):
    """Base64 without its padding."""
    return base64.b64decode(text + b"=" * (-len(text) % 4))
