# SPDX-License-Identifier: Apache-2.0
"""Writes docs/hss-api.md: which operations the server answers, and where each of their fields comes from.

    table.py HEAD SDK FIELDS SOURCES
        HEAD     what the document begins with
        SDK      what introspect.py wrote
        FIELDS   folder with lines `subject TAB field TAB source`; a subject is an operation or a model
        SOURCES  folder with the Rust sources, which name the fields of ours

Nothing is written when a field has no line, or a line no field.
"""

import json
import re
import sys
from pathlib import Path

SOLD = "scans are not sold one by one; a host's edition says which it includes"
# What HSS has and Lazaret cannot have: answered, and always with 501.
BY_NATURE = {
    "change_antivirus_pay_per_scan_status": SOLD,
    "create_anti_virus_paid_task": SOLD,
    "list_anti_virus_paid_hosts": SOLD,
    "show_antivirus_free_quota": SOLD,
    "show_antivirus_pay_per_scan_status": SOLD,
    "uninstall_agents": "a server cannot order a host to give up its protection; root does it on the host",
    "upgrade_agents": "agents are upgraded by their hosts' package managers",
}
# The same in every operation: the head says what it is.
PROJECT = "project_id"
OURS = "lazaret_"


def element(kind):
    """`list[X]` and `dict(str, X)` as X."""
    return re.findall(r"\w+", kind)[-1]


class Table:
    """The SDK's operations and models, and what the lines say of them."""

    def __init__(self, sdk):
        self.version = sdk["version"]
        self.models = sdk["models"]
        self.answered = [o for o in sdk["operations"] if "answer" in o]
        self.others = [o for o in sdk["operations"] if "answer" not in o]
        # (subject, field) to its source, and the place that says so.
        self.lines = {}
        self.problems = []

    def parameters(self, operation):
        """Names in path and query, with where they stand and their types."""
        path = [(name, "path", "str") for name in re.findall(r"\{(\w+)\}", operation["path"])]
        return path + [(name, "query", kind) for name, kind in operation["query"].items()]

    def needed(self):
        """Every field that a line must stand for, by subject."""
        subjects = {name: set(fields) for name, fields in self.models.items()}
        for o in self.answered:
            subjects[o["name"]] = {name for name, _, _ in self.parameters(o) if name != PROJECT}
        return subjects

    def read(self, folder, ours):
        """Takes in every line; `ours` are the fields that the sources add to answers."""
        subjects = self.needed()
        # Known without being needed.
        known = {subject: set(fields) for subject, fields in subjects.items()}
        for o in self.answered:
            known[o["name"]].add(PROJECT)
            if o["body"] and element(o["body"]) not in self.models:
                known[o["name"]].add("body")
        for name in self.models:
            known[name] |= ours
        for file in sorted(Path(folder).glob("*.tsv")):
            for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
                if line.strip():
                    self.line(f"{file}:{number}", line.rstrip("\r"), known)
        for subject, fields in sorted(subjects.items()):
            missing = sorted(f for f in fields if (subject, f) not in self.lines)
            if missing:
                self.problems.append(f"{subject}: no line for {', '.join(missing)}")
        for name in sorted(BY_NATURE.keys() - {o["name"] for o in self.answered}):
            self.problems.append(f"{name}: said to answer 501, and is none that is answered")

    def line(self, place, line, known):
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != 3 or not all(parts):
            self.problems.append(f"{place}: not `subject TAB field TAB source`")
            return
        subject, field, source = parts
        if subject not in known:
            self.problems.append(f"{place}: {subject} is neither an operation that is answered nor a model of one")
        elif field not in known[subject]:
            self.problems.append(f"{place}: {subject} has no field {field}")
        else:
            before, where = self.lines.setdefault((subject, field), (source, place))
            if before != source:
                self.problems.append(
                    f"{place}: {subject} {field} is \"{source}\" here, and \"{before}\" in {where}"
                )

    def source(self, subject, field):
        return self.lines[subject, field][0]

    def rows(self, model, before="", within=()):
        """A model's fields and those of what it holds, with dots between them; of what holds itself once."""
        within = (*within, model)
        for field, kind in self.models.get(model, {}).items():
            held = element(kind)
            source = self.source(model, field)
            if held in within:
                source += f" (fields as above: {held})"
            yield before + field, kind, source
            if held not in within:
                yield from self.rows(held, f"{before}{field}.", within)
        for subject, field in self.lines:
            if subject == model and field.startswith(OURS) and field not in self.models[model]:
                yield before + field, "Lazaret's own", self.source(subject, field)

    def document(self, head):
        never = [o for o in self.answered if o["name"] in BY_NATURE]
        out = [head.rstrip("\n"), "", "## Operations", ""]
        out += [
            f"huaweicloudsdkhss {self.version} has {len(self.answered) + len(self.others)} operations. "
            f"{len(self.answered)} belong to this product;",
            f"{len(never)} of these answer 501, because Lazaret has nothing of the kind. "
            f"The other {len(self.others)} are not part of it and answer 501 too.",
            "",
            "### Part of this product",
            "",
            "| operation | method | path | |",
            "|---|---|---|---|",
        ]
        for o in self.answered:
            said = "answers 501" if o["name"] in BY_NATURE else ""
            out.append(f"| [{o['name']}](#{o['name']}) | {o['method']} | `{o['path']}` | {said} |")
        out += ["", "### Not part of this product", "", "| operation | method | path |", "|---|---|---|"]
        out += [f"| {o['name']} | {o['method']} | `{o['path']}` |" for o in self.others]
        out += ["", "## Fields", ""]
        out += [
            "What a field holds, or each entry of a list, has its own fields behind a dot. `project_id` is said above.",
            "",
        ]
        for o in self.answered:
            out += self.section(o)
        return "\n".join(out).rstrip("\n") + "\n"

    def section(self, o):
        out = [f"### {o['name']}", "", f"`{o['method']} {o['path']}`", ""]
        if o["name"] in BY_NATURE:
            out += [f"Answers 501: {BY_NATURE[o['name']]}.", ""]
        asked = [
            (name, where, kind, self.source(o["name"], name))
            for name, where, kind in self.parameters(o)
            if (o["name"], name) in self.lines
        ]
        if o["body"]:
            if (o["name"], "body") in self.lines:
                asked.append(("body", "body", o["body"], self.source(o["name"], "body")))
            asked += [(name, "body", kind, source) for name, kind, source in self.rows(element(o["body"]))]
        out += table(("asked", "in", "type", "what it does"), asked)
        answered = list(self.rows(o["answer"]))
        if not answered:
            out += ["The SDK documents no fields of the answer.", ""]
        out += table(("answered", "type", "where it comes from"), answered)
        return out


def table(head, rows):
    if not rows:
        return []
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, *middle, source in rows:
        kinds = [kind if kind in ("path", "query", "body", "Lazaret's own") else f"`{kind}`" for kind in middle]
        cells = [f"`{name}`", *kinds, source.replace("|", "\\|").replace("<", "&lt;")]
        out.append("| " + " | ".join(cells) + " |")
    return [*out, ""]


def ours(folder):
    """Names of fields of ours that stand in the sources."""
    names = set()
    for file in Path(folder).rglob("*.rs"):
        names.update(re.findall(rf'"({OURS}\w+)"', file.read_text(encoding="utf-8")))
    return names


def main():
    head, sdk, fields, sources = sys.argv[1:]
    made = Table(json.loads(Path(sdk).read_text(encoding="utf-8")))
    made.read(fields, ours(sources))
    if made.problems:
        sys.exit("\n".join(f"table.py: {problem}" for problem in made.problems))
    sys.stdout.write(made.document(Path(head).read_text(encoding="utf-8")))


main()
