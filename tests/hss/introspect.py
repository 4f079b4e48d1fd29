# SPDX-License-Identifier: Apache-2.0
"""Writes what the installed huaweicloudsdkhss knows as one line of JSON: every operation, and models.

    introspect.py [NAME ...]     with the models of these operations
"""

import inspect
import json
import re
import sys
from importlib.metadata import version

import huaweicloudsdkhss.v5 as v5
from huaweicloudsdkhss.v5 import HssClient


def models():
    """The classes of bodies and answers by their names."""
    return {name: kind for name, kind in vars(v5).items() if inspect.isclass(kind) and ".model." in kind.__module__}


MODELS = models()


def element(kind):
    """`list[X]` and `dict(str, X)` as X."""
    return re.findall(r"\w+", kind)[-1]


def fields(name, into):
    """The fields of a model and of all that it holds, as they are on the wire."""
    if name in into or name not in MODELS:
        return
    kind = MODELS[name]
    into[name] = {kind.attribute_map[a]: t for a, t in kind.openapi_types.items()}
    for t in kind.openapi_types.values():
        fields(element(t), into)


def operation(method):
    """What a call sends and where to: it is made with every parameter, and not sent."""
    info = getattr(HssClient, f"_{method}_http_info")
    request = re.search(r":class:`huaweicloudsdkhss\.v5\.(\w+)`", inspect.getdoc(getattr(HssClient, method))).group(1)
    kind = MODELS[request]
    instance = kind()
    for a in kind.attribute_map:
        # Past the setters, which look at values.
        setattr(instance, "_" + a, "\0" + a)
    sent = info(instance)
    types = {kind.attribute_map[a]: t for a, t in kind.openapi_types.items()}
    return {
        "name": method,
        "method": sent["method"],
        "path": sent["resource_path"],
        "query": {name: types.get(name, "str") for name, _ in sent["query_params"]},
        "body": kind.openapi_types.get("body") if isinstance(sent.get("body"), str) else None,
        "answer": sent["response_type"],
    }


def main():
    wanted = set(sys.argv[1:])
    names = sorted(n[1 : -len("_http_info")] for n in vars(HssClient) if n.endswith("_http_info"))
    missing = sorted(wanted.difference(names))
    if missing:
        sys.exit("introspect.py: the installed SDK has no operation " + ", ".join(missing))
    operations, held = [], {}
    for name in names:
        row = operation(name)
        if name in wanted:
            fields(element(row["body"] or "str"), held)
            fields(row["answer"], held)
        else:
            row = {k: row[k] for k in ("name", "method", "path")}
        operations.append(row)
    out = {"version": version("huaweicloudsdkhss"), "operations": operations, "models": held}
    print(json.dumps(out, sort_keys=True, separators=(",", ":")))


main()
