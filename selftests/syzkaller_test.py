#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""uapi/syzkaller/privheap.txt says what the headers and uapi/privheap.yaml say.

Ioctls, structs, flags, commands, attributes and the numbers of all names are taken
out of both and compared. Then the description is changed in every place, one at a
time, to see that no difference goes unnoticed.
"""
import os
import re
import sys

# Nothing is left behind in the folder of the tests.
sys.dont_write_bytecode = True
# Says SKIP where there is no yaml.
import netlink_yaml_test as headers  # noqa: E402

FILES = ["syzkaller/privheap.txt", "syzkaller/privheap.txt.const"]
# Which names belong to which list of the description.
LISTS = {
    "privheap_create_flags": r"PRIVHEAP_CREATE_\w+",
    "privheap_commit_flags": r"PRIVHEAP_COMMIT_\w+",
    "privheap_query_flags": r"PRIVHEAP_QUERY_\w+",
    "privheap_notify_flags": r"PRIVHEAP_NOTIFY_(?!MAX)\w+",
    "privheap_limit_flags": r"PRIVHEAP_LIMIT_\w+",
    "privheap_limit_set": r"PRIVHEAP_SET_\w+",
    "privheap_resource": r"PRIVHEAP_RESOURCE_\w+",
    "privheap_level": r"PRIVHEAP_LEVEL_\w+",
}
# Members whose names syzkaller has kept for itself.
RENAMED = {"res": "resource"}
# The description's own names, and what they are made of.
OWN = {
    "PRIVHEAP_CELLS_OVER": lambda known: known["PRIVHEAP_CELLS_MAX"] + 1,
    "PRIVHEAP_MMAP_OVER": lambda known: 0x32,
}
SIZES = {"__u32": 4, "__s32": 4, "__aligned_u64": 8, "int32": 4, "int64": 8,
         "privheap_base": 8, "privheap_id": 8, "fd_event": 4}


def header_facts(texts, spec):
    """What the headers say, as {what: how}."""
    code = re.sub(r"/\*.*?\*/", "", texts[0], flags=re.DOTALL)
    facts = {}
    for name, body in re.findall(r"struct (privheap_\w+) \{(.*?)\}", code, flags=re.DOTALL):
        fields = re.findall(r"(\w+) (\w+);", body)
        facts["struct " + name] = [(field, SIZES[kind], field.startswith("out_"))
                                   for kind, field in fields]
        outputs = any(field.startswith("out_") for _, field in fields)
        ioctl = "PRIVHEAP_IOC_" + name[len("privheap_"):].upper()
        facts["ioctl " + ioctl] = ("inout" if outputs else "in", name)
    names = re.findall(r"^#define (PRIVHEAP_\w+)", code, flags=re.MULTILINE)
    for what, pattern in LISTS.items():
        facts["list " + what] = [name for name in names if re.fullmatch(pattern, name)]
    types = headers.read_header(texts)
    for operation in spec["operations"]["list"]:
        if "do" not in operation:
            continue
        name = headers.c_name("privheap-cmd-", operation["name"])
        wanted = {attribute for mode in ("do", "dump") if mode in operation
                  for attribute in operation[mode]["request"]["attributes"]}
        facts["command " + name] = {
            headers.c_name("privheap-a-", attribute):
            types[headers.c_name("privheap-a-", attribute)][1].split()[0]
            for attribute in wanted}
    facts["counter"] = {name: kind for name, (_, kind) in types.items()
                        if name.startswith("PRIVHEAP_A_COUNTER_") and kind != "pad"}
    return facts


def numbers(texts):
    """{name: number} of the headers."""
    known = {name: value for name, (value, _) in headers.read_header(texts).items()
             if isinstance(value, int)}
    for name, value in re.findall(r"^#define (PRIVHEAP_\w+)[ \t]+(\w+)", texts[0],
                                  flags=re.MULTILINE):
        if headers.number(value) is not None:
            known[name] = headers.number(value)
    for name, number in re.findall(r"^#define (PRIVHEAP_IOC_\w+)\s+_IO\(PRIVHEAP_IOC_MAGIC, "
                                   r"(\w+)\)", texts[0], flags=re.MULTILINE):
        known[name] = known["PRIVHEAP_IOC_MAGIC"] << 8 | int(number, 0)
    known["PRIVHEAP_NO_LIMIT"] = 0xFFFFFFFFFFFFFFFF
    for name, value in OWN.items():
        known[name] = value(known)
    return known


def field_size(kind):
    """Bytes of a field."""
    match = re.search(r"(?:\b|, )(int32|int64)(?:\[[^\]]*\])?\]?$", kind)
    return SIZES.get(match.group(1) if match else kind)


def attribute_kind(kind, structs):
    """The type of an attribute in the header's words."""
    if kind == "void":
        return "flag"
    if kind in ("pid", "uid"):
        return "u32"
    if kind in structs:
        return "u64"
    return {4: "u32", 8: "u64"}.get(field_size(kind), kind)


def attributes_of(body, structs):
    """{name: type} of a union of attributes."""
    found = {}
    for wrapper, name, kind in re.findall(r"^\t\w+\s+(nlattr|nlnest)\[(\w+), (.*)\]$", body,
                                          flags=re.MULTILINE):
        found[name] = "nest" if wrapper == "nlnest" else attribute_kind(kind, structs)
        if wrapper == "nlnest" and kind != "array[privheap_counter_attrs]":
            found[name] = kind
    if len(found) != len([line for line in body.splitlines() if line.strip()]):
        found["?"] = "a line that is no attribute"
    return found


def description_facts(text):
    """The same as header_facts(), of the description."""
    text = re.sub(r"^#.*", "", text, flags=re.MULTILINE)
    facts = {}
    unions = dict(re.findall(r"^(\w+) \[\n(.*?)^\]", text, flags=re.DOTALL | re.MULTILINE))
    for name, body in re.findall(r"^(privheap_\w+) \{\n(.*?)^\}", text,
                                 flags=re.DOTALL | re.MULTILINE):
        if name.startswith("privheap_subject_"):
            continue
        facts["struct " + name] = [
            (RENAMED.get(field, field), field_size(kind), bool(out))
            for field, kind, out in
            re.findall(r"^\t(\w+)\s+(.*?)(\t\(out\))?$", body, flags=re.MULTILINE)]
    for first, second, way, struct in re.findall(
            r"^ioctl\$(\w+)\(fd fd_privheap, cmd const\[(\w+)\], arg ptr\[(\w+), (\w+)\]\)$",
            text, flags=re.MULTILINE):
        facts["ioctl " + first] = (way, struct) if first == second else second
    for name, body in re.findall(r"^(privheap_\w+) = (.*)$", text, flags=re.MULTILINE):
        if name in LISTS:
            facts["list " + name] = body.split(", ")
    for first, second, attrs in re.findall(
            r"^sendmsg\$(\w+)\(fd sock_nl_generic, msg ptr\[in, msghdr_privheap\[(\w+), "
            r"(\w+)\]\], f flags\[send_flags\]\)$", text, flags=re.MULTILINE):
        facts["command " + first] = attributes_of(unions.get(attrs, "?"), unions) \
            if first == second else second
    facts["counter"] = attributes_of(unions.get("privheap_counter_attrs", "?"), unions)
    return facts


def differences(texts, spec, files):
    """What is not the same, in words."""
    theirs, ours = header_facts(texts, spec), description_facts(files[0])
    wrong = [f"{what}: headers {theirs.get(what)}, description {ours.get(what)}"
             for what in sorted(set(theirs) | set(ours)) if theirs.get(what) != ours.get(what)]
    known = numbers(texts)
    consts = dict(re.findall(r"^(\w+) = (\d+)$", files[1], flags=re.MULTILINE))
    code = re.sub(r"^#.*|^define.*", "", files[0], flags=re.MULTILINE)
    used = set(re.findall(r"\b(?:PRIVHEAP|PROT|MADV|MREMAP)_[A-Z_]+\b|AT_FDCWD|O_RDWR", code))
    used |= {"__NR_" + name for name in re.findall(r"^([a-z]+)(?:\$\w+)?\(", code,
                                                   flags=re.MULTILINE)}
    for name in sorted(used | set(consts)):
        if name not in consts or name not in used:
            wrong.append(name + ": in one of the two files only")
        elif name.startswith("PRIVHEAP_") and int(consts[name]) != known.get(name):
            wrong.append(f"{name}: headers {known.get(name)}, .const {consts[name]}")
    return wrong


def changed(files):
    """Both files, with one thing changed in each."""
    pattern = (r"^\t(?P<field>\w+)\t|^(?:ioctl|sendmsg)\$(?P<call>\w+)\(|"
               r"^(?P<struct>privheap_\w+) [{=]|(?P<size>\bint(?:32|64)\b)|"
               r"(?P<const>\bconst\[PRIVHEAP_\w+)|(?P<attr>nlattr\[PRIVHEAP_\w+)|"
               r"(?P<way>ptr\[in(?:out)?\b)(?!, string)")
    code = re.sub(r"^(#|resource|define|type|mmap|[a-z]+\$privheap|"
                  r"privheap_(bytes|limits|prot|advice|mremap) =).*",
                  lambda match: " " * len(match.group()), files[0], flags=re.MULTILINE)
    # The subjects of quotas are the description's own, and so are names in unions.
    code = re.sub(r"^privheap_\w+ \[.*?^\]|^privheap_subject_\w+ \{.*?^\}",
                  lambda match: re.sub(r"^\t\w+|^privheap_\w+", lambda name:
                                       " " * len(name.group()), match.group(),
                                       flags=re.MULTILINE)
                  if "attrs" in match.group() else " " * len(match.group()),
                  code, flags=re.DOTALL | re.MULTILINE)
    for match in re.finditer(pattern, code, flags=re.MULTILINE):
        end = match.end(match.lastgroup)
        text = files[0]
        new = {"int32": "int64", "int64": "int32"}.get(match.group(match.lastgroup))
        if new:
            text = text[:end - len(new)] + new + text[end:]
        else:
            text = text[:end] + "X" + text[end:]
        yield match.group(match.lastgroup), [text, files[1]]
    for match in re.finditer(r"^(\w+) = (\d+)$", files[1], flags=re.MULTILINE):
        end = match.end(1)
        yield match.group(1) + " name", [files[0], files[1][:end] + "X" + files[1][end:]]
        if match.group(1).startswith("PRIVHEAP_"):
            end = match.end(2)
            yield match.group(1), [files[0], files[1][:end] + "1" + files[1][end:]]


def main():
    """Read, compare, change."""
    try:
        texts, files = [], []
        for name, into in [(name, texts) for name in headers.HEADERS] + \
                          [(name, files) for name in FILES]:
            with open(os.path.join(headers.UAPI, name), encoding="utf-8") as file:
                into.append(file.read())
        with open(os.path.join(headers.UAPI, "privheap.yaml"), encoding="utf-8") as file:
            spec = headers.yaml.safe_load(file)
    except FileNotFoundError as error:
        print(f"TAP version 13\n1..0 # SKIP no sources here: {error.filename}")
        return 4

    results = headers.Results(2)
    results.result("the description says what the headers say",
                   differences(texts, spec, files))
    unnoticed, count = [], 0
    for what, new in changed(files):
        count += 1
        if not differences(texts, spec, new):
            unnoticed.append("not noticed: " + what)
    print(f"# {count} changes of the description")
    results.result("changes of the description are noticed",
                   unnoticed or ([] if count > 150 else ["too few changes"]))
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
