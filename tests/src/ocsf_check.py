# SPDX-License-Identifier: Apache-2.0
"""Compares events, one a line on standard input, with the published OCSF schema of the version they name.

Prints one line for each error and, last, how many events it compared. Fails on any error.
"""

import json
import sys

from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

schemas = {}
validators = {}
errors = 0
count = 0


def validator(version, uid, profiles):
    key = (version, uid, profiles)
    if key not in validators:
        if version not in schemas:
            schemas[version] = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
        schema = schemas[version]
        name = schema.lookup_class_name_from_uid(uid)
        validators[key] = Draft202012Validator(schema.get_class_schema(name, list(profiles)))
    return validators[key]


for line in sys.stdin:
    event = json.loads(line)
    count += 1
    meta = event.get("metadata", {})
    found = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
        for e in validator(meta.get("version"), event["class_uid"], tuple(meta.get("profiles", []))).iter_errors(event)
    ]
    if event.get("type_uid") != event["class_uid"] * 100 + event.get("activity_id", -1):
        found.append("type_uid is not class_uid * 100 + activity_id")
    for text in found:
        errors += 1
        print(f"event {count} ({event.get('type_name')}): {text}")
print(count)
sys.exit(1 if errors else 0)
