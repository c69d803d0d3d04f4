#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""uapi/linux/privheap_netlink.h and uapi/privheap.yaml say the same.

Names, numbers and types of commands, attributes and constants are taken out of
both and compared. Then each is changed in every place, one at a time, to see
that no difference goes unnoticed.
"""
import copy
import os
import re
import sys

try:
    import yaml
except ImportError:
    print("TAP version 13\n1..0 # SKIP no python3-yaml here")
    sys.exit(4)

HERE = os.path.dirname(os.path.realpath(__file__))
UAPI = os.path.join(os.environ.get("PRIVHEAP_TOP", HERE + "/.."), "uapi")
HEADERS = ["linux/privheap.h", "linux/privheap_netlink.h"]

# What the specification has of privheap.h: everything with these names.
SHARED = re.compile(r"PRIVHEAP_(LEVEL|RESOURCE|CREATE)_\w+|PRIVHEAP_NO_LIMIT")

# The types of attributes: how the header's comments begin, and the YAML's words.
HEADER_TYPES = [
    (r"padding", "pad"),
    (r"(u32|u64|flag)\b", r"\1"),
    (r"nest of (PRIVHEAP_A_\w+_)\*", r"nest \1"),
    (r"the map: .* two __u64", "binary u64"),
]


def number(text):
    """The value of a macro, if it is a number."""
    match = re.fullmatch(r"\(?(~?)(0x[0-9a-fA-F]+|[0-9]+)(ULL)?\)?", text)
    if not match:
        return None
    value = int(match.group(2), 0)
    return value ^ 0xFFFFFFFFFFFFFFFF if match.group(1) else value


def header_types(text):
    """The types of the attributes, out of the kernel-doc comments."""
    types = {}
    for name, doc in re.findall(r"@(PRIVHEAP_A_\w+): ((?:.|\n \*\t)*)", text):
        doc = " ".join(doc.replace("\n *", " ").split())
        for pattern, kind in HEADER_TYPES:
            match = re.match(pattern, doc)
            if match:
                types[name] = match.expand(kind)
                break
        else:
            types[name] = "unknown: " + doc
    return types


def read_header(texts):
    """{name: (value, type)} of the two headers."""
    found = {}
    for text in texts:
        types = header_types(text)
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        for body in re.findall(r"\benum \w+ \{(.*?)\}", code, flags=re.DOTALL):
            value = 0
            for item in body.split(","):
                item = item.strip()
                if not item or "_MAX" in item:
                    continue
                name, _, start = (part.strip() for part in item.partition("="))
                value = int(start, 0) if start else value + 1
                kind = "command" if "_CMD_" in name else types.pop(name, "no comment")
                found[name] = (value, kind)
        for name, value in re.findall(r"^#define (PRIVHEAP_\w+)[ \t]+(\S+)[ \t]*$", code,
                                      flags=re.MULTILINE):
            if SHARED.fullmatch(name) or name.startswith("PRIVHEAP_CELLS"):
                found[name] = (number(value), "constant")
            elif name in ("PRIVHEAP_FAMILY_NAME", "PRIVHEAP_MCGRP_EVENTS"):
                found[name] = (value.strip('"'), "constant")
        for name in types:
            found[name] = (None, "comment without an attribute")
    return found


def c_name(prefix, name):
    """As it is in C."""
    return (prefix + name).replace("-", "_").upper()


def attribute_type(attribute, prefixes):
    """The type in the header's words."""
    kind = attribute["type"]
    if kind == "nest":
        return "nest " + c_name(prefixes.get(attribute["nested-attributes"], "?"), "")
    if kind == "binary":
        return "binary " + str(attribute.get("sub-type"))
    return kind


def read_definitions(spec, found):
    """Constants, enums and flags."""
    family = spec["name"] + "-"
    for definition in spec["definitions"]:
        if definition["type"] == "const":
            found[c_name(family, definition["name"])] = (definition["value"], "constant")
            continue
        for index, entry in enumerate(definition["entries"]):
            value = 1 << index if definition["type"] == "flags" else index
            found[c_name(family + definition["name"] + "-", entry)] = (value, "constant")


def read_spec(spec):
    """{name: (value, type)} of the specification."""
    family = spec["name"] + "-"
    found = {"PRIVHEAP_FAMILY_NAME": (spec["name"], "constant")}
    read_definitions(spec, found)
    for group in spec["mcast-groups"]["list"]:
        found[c_name(family + "mcgrp-", group["name"])] = (group["name"], "constant")
    prefixes = {space["name"]: space["name-prefix"] for space in spec["attribute-sets"]}
    for space in spec["attribute-sets"]:
        value = 0
        for attribute in space["attributes"]:
            value = attribute.get("value", value + 1)
            found[c_name(space["name-prefix"], attribute["name"])] = (
                value, attribute_type(attribute, prefixes))
    value = 0
    for operation in spec["operations"]["list"]:
        value = operation.get("value", value + 1)
        found[c_name(spec["operations"]["name-prefix"], operation["name"])] = (
            value, "command")
    return found


def inside(spec):
    """What the specification says of itself that is not so."""
    wrong = []
    names = {space["name"]: {attribute["name"] for attribute in space["attributes"]}
             for space in spec["attribute-sets"]}
    groups = {group["name"] for group in spec["mcast-groups"]["list"]}
    for operation in spec["operations"]["list"]:
        known = names[operation["attribute-set"]]
        event = operation["name"].endswith("-ntf")
        if event != ("event" in operation) or event != (operation.get("mcgrp") in groups):
            wrong.append(operation["name"] + ": is it a notification?")
        lists = [operation.get("event")]
        for mode in ("do", "dump"):
            lists += [operation.get(mode, {}).get(way) for way in ("request", "reply")]
        for part in lists:
            for name in part["attributes"] if part else []:
                if name not in known:
                    wrong.append(f"{operation['name']}: no attribute {name}")
    return wrong


def differences(texts, spec):
    """What is not the same, in words."""
    ours, theirs = read_header(texts), read_spec(spec)
    wrong = inside(spec)
    for name in sorted(set(ours) | set(theirs)):
        if ours.get(name) != theirs.get(name):
            wrong.append(f"{name}: header {ours.get(name)}, YAML {theirs.get(name)}")
    return wrong


def changed_headers(texts):
    """Both headers, with one thing changed in each."""
    for index, text in enumerate(texts):
        if "privheap_netlink" in HEADERS[index]:
            pattern = (r"^\t(PRIVHEAP_\w+)(?= = 1,|,)|^ \* @(PRIVHEAP_A_\w+)(?=: )|"
                       r"^ \* @PRIVHEAP_A_\w+: (u32|u64|flag|nest)|"
                       r"^#define PRIVHEAP_\w+\t+(\d{2,}|\"\w+)")
        else:
            pattern = (r"^#define (PRIVHEAP_(?:LEVEL|RESOURCE|CREATE)_\w+)\t|"
                       r"^#define PRIVHEAP_(?:LEVEL|RESOURCE|CREATE)_\w+\t+(\d\w*)")
        for match in re.finditer(pattern, text, flags=re.MULTILINE):
            group = match.lastindex
            start, end = match.span(group)
            new = text[:start] + text[start:end] + "9" + text[end:]
            yield (HEADERS[index] + ": " + match.group(group),
                   texts[:index] + [new] + texts[index + 1:])


def changed_specs(spec):
    """The specification, with one thing changed in each."""
    for place, space in enumerate(spec["attribute-sets"]):
        for index, attribute in enumerate(space["attributes"]):
            for change in ("gone", "name", "type", "twice"):
                new = copy.deepcopy(spec)
                attributes = new["attribute-sets"][place]["attributes"]
                if change == "gone":
                    del attributes[index]
                elif change == "twice":
                    attributes.insert(index, {"name": "another", "type": "u32"})
                elif change == "name":
                    attributes[index]["name"] += "9"
                else:
                    attributes[index]["type"] = "string"
                yield f"{space['name']}: {attribute['name']} {change}", new
    for index, operation in enumerate(spec["operations"]["list"]):
        new = copy.deepcopy(spec)
        del new["operations"]["list"][index]
        yield f"{operation['name']} gone", new
        new = copy.deepcopy(spec)
        new["operations"]["list"][index]["name"] += "9"
        yield f"{operation['name']} name", new
    for index, definition in enumerate(spec["definitions"]):
        new = copy.deepcopy(spec)
        if "entries" in definition:
            new["definitions"][index]["entries"].reverse()
        else:
            new["definitions"][index]["value"] -= 1
        yield f"{definition['name']} value", new


class Results:
    """TAP."""

    def __init__(self, count):
        self.number = 0
        self.failed = False
        print(f"TAP version 13\n1..{count}")

    def result(self, name, wrong):
        """One result, with what is wrong in it."""
        self.number += 1
        self.failed |= bool(wrong)
        for line in wrong:
            print("#", line)
        print("not ok" if wrong else "ok", self.number, name)


def main():
    """Read, compare, change."""
    texts = []
    try:
        for name in HEADERS:
            with open(os.path.join(UAPI, name), encoding="utf-8") as file:
                texts.append(file.read())
        with open(os.path.join(UAPI, "privheap.yaml"), encoding="utf-8") as file:
            spec = yaml.safe_load(file)
    except FileNotFoundError as error:
        print(f"TAP version 13\n1..0 # SKIP no sources here: {error.filename}")
        return 4

    results = Results(3)
    results.result("header and specification say the same", differences(texts, spec))
    unnoticed, count = [], 0
    for what, changed in changed_headers(texts):
        count += 1
        if not differences(changed, spec):
            unnoticed.append("not noticed: " + what)
    print(f"# {count} changes of the headers")
    results.result("changes of the headers are noticed",
                   unnoticed or ([] if count > 80 else ["too few changes"]))
    unnoticed, count = [], 0
    for what, changed in changed_specs(spec):
        count += 1
        if not differences(texts, changed):
            unnoticed.append("not noticed: " + what)
    print(f"# {count} changes of the specification")
    results.result("changes of the specification are noticed",
                   unnoticed or ([] if count > 80 else ["too few changes"]))
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
