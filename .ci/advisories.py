#!/usr/bin/env python3
"""Checks Cargo.lock against a folder of security advisories in RustSec's layout.

    advisories.py CARGO_LOCK ADVISORY_FOLDER    exit 0: nothing found; 1: findings; 2: cannot tell
    advisories.py --self-test                   feeds itself locks and advisories made to be found

A locked version is affected unless a `patched` or `unaffected` range holds it. Vulnerabilities,
unsound and unmaintained crates are findings; a `notice` is only printed; withdrawn ones are not.
Needs Python 3.11 (tomllib) and nothing else.
"""

import re
import sys
import tempfile
import tomllib
from pathlib import Path

FINDINGS = {None, "unsound", "unmaintained"}


class CannotTell(Exception):
    """The check could not be made; passing would be a lie."""


def version(text):
    """A key that sorts by semantic-versioning precedence (semver.org, section 11)."""
    core, _, pre = text.split("+")[0].partition("-")
    numbers = tuple(int(part) for part in core.split("."))
    if len(numbers) != 3:
        raise CannotTell(f"`{text}` is not a full version")
    return (*numbers, precedence(pre))


def precedence(pre):
    # A release sorts after all of its pre-releases; numbers sort before words.
    if not pre:
        return (1, ())
    parts = pre.split(".")
    return (0, tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts))


# Sorts before every pre-release of a version: `^1.2` must not hold 2.0.0-alpha.
FIRST = (0, ())
RELEASE = (1, ())


def bounds(comparator):
    """A comparator as (low, high): low <= version < high; None is open."""
    match = re.fullmatch(
        r"(<=|>=|<|>|=|\^|~)?\s*v?(\d+|\*)(?:\.(\d+|\*|x))?(?:\.(\d+|\*|x))?"
        r"(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?",
        comparator.strip(),
    )
    if not match:
        raise CannotTell(f"`{comparator}` is not a version range")
    operator, *core, pre = match.groups()
    numbers = [int(part) for part in core if part and part.isdigit()]
    if not numbers:
        return (None, None)
    low = (*(numbers + [0, 0])[:3], precedence(pre))
    whole = len(numbers) == 3

    def step(place):
        bumped = numbers[:place] + [numbers[place] + 1] + [0, 0]
        return tuple(bumped[:3])

    # What comes right after everything that the written digits stand for.
    after = (*low[:3], (*low[3], 0)) if whole else (*step(len(numbers) - 1), FIRST)
    if operator == ">=":
        return (low, None)
    if operator == ">":
        return (after if whole else (*step(len(numbers) - 1), RELEASE), None)
    if operator == "<":
        return (None, low)
    if operator == "<=":
        return (None, after)
    if operator == "=" or (operator is None and "*" in comparator):
        return (low, after)
    if operator == "~":
        return (low, (*step(min(len(numbers), 2) - 1), FIRST))
    # A caret, written or not: up to the next change of the first digit that is not zero.
    nonzero = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    return (low, (*step(nonzero), FIRST))


def holds(requirement, locked):
    """Whether every comparator of a range holds a version."""
    for comparator in requirement.split(","):
        low, high = bounds(comparator)
        if (low is not None and locked < low) or (high is not None and not locked < high):
            return False
    return True


def read_advisory(path):
    block = re.search(r"^```toml\n(.*?)^```", path.read_text("utf-8"), re.M | re.S)
    if not block:
        raise CannotTell(f"{path}: has no TOML block")
    return tomllib.loads(block.group(1))


def read_advisories(folder):
    found = {}
    for path in sorted(Path(folder).glob("crates/*/RUSTSEC-*.md")):
        record = read_advisory(path)
        found.setdefault(record["advisory"]["package"], []).append(record)
    if not found:
        raise CannotTell(f"{folder}: holds no advisories (expected crates/NAME/RUSTSEC-*.md)")
    return found


def check(lock, folder):
    """Findings and notices, one line each."""
    packages = tomllib.loads(Path(lock).read_text("utf-8")).get("package", [])
    if not packages:
        raise CannotTell(f"{lock}: locks no packages")
    advisories = read_advisories(folder)
    findings, notices = [], []
    # Packages without a source are our own.
    for package in (package for package in packages if "source" in package):
        locked = version(package["version"])
        for record in advisories.get(package["name"], []):
            advisory, versions = record["advisory"], record["versions"]
            safe = versions.get("patched", []) + versions.get("unaffected", [])
            if "withdrawn" in advisory or any(holds(range_, locked) for range_ in safe):
                continue
            kind = advisory.get("informational")
            fixed = ", ".join(versions.get("patched", [])) or "nothing yet: replace the crate"
            line = (f"{package['name']} {package['version']}: {advisory['id']} "
                    f"({kind or 'vulnerability'}); fixed in {fixed}")
            (findings if kind in FINDINGS else notices).append(line)
    return findings, notices, len(packages), sum(map(len, advisories.values()))


RANGES = [
    # range, versions it holds, versions it does not
    (">=1.2.3", "1.2.3 1.2.4 2.0.0 1.3.0-rc.1", "1.2.2 1.2.3-rc.1 0.9.0"),
    (">1.2.3", "1.2.4 1.2.4-alpha", "1.2.3 1.2.2"),
    (">1.2", "1.3.0 2.0.0", "1.2.0 1.2.9"),
    ("<1.2.3", "1.2.2 1.2.3-beta.1 0.1.0", "1.2.3 1.2.4"),
    ("<=1.2.3", "1.2.3 1.2.3-beta.1", "1.2.4 1.2.4-alpha"),
    ("<=1.2", "1.2.9 1.1.0", "1.3.0 1.3.0-alpha"),
    ("<1.2", "1.1.9", "1.2.0"),
    ("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0 2.0.0-alpha"),
    ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2 0.3.0-alpha"),
    ("^0.0.3", "0.0.3", "0.0.4 0.0.2"),
    ("^0.0", "0.0.7", "0.1.0"),
    ("^0", "0.9.9", "1.0.0"),
    ("1.2.3", "1.4.0", "2.0.0"),
    ("~1.2.3", "1.2.9", "1.3.0 1.2.2"),
    ("~1", "1.9.0", "2.0.0"),
    ("=1.2.3", "1.2.3 1.2.3+build", "1.2.4 1.2.2 1.2.4-alpha"),
    ("=1.2", "1.2.0 1.2.9", "1.3.0"),
    ("1.*", "1.0.0 1.9.9", "2.0.0"),
    ("*", "0.0.1", ""),
    (">=1.0.0, <1.2.0", "1.1.9", "1.2.0 0.9.0"),
    ("<2.0.0, >=1.0.0", "1.1.9", "2.0.0 0.9.0"),
    (">=0.4.0-alpha.5", "0.4.0-alpha.5 0.4.0-alpha.10 0.4.0-beta 0.4.0", "0.4.0-alpha.4 0.3.9"),
    ("<0.10.0-rc.2", "0.10.0-rc.1 0.10.0-alpha", "0.10.0-rc.2 0.10.0"),
]

SAMPLE = [
    # crate, locked, extra line, patched, unaffected, what is expected
    ("holed", "1.0.0", "", '[">=1.0.1"]', "[]", "finding"),
    ("mended", "1.0.1", "", '[">=1.0.1"]', "[]", ""),
    ("older", "0.9.0", "", '[">=1.0.1"]', '["<1.0.0"]', ""),
    ("backported", "0.8.5", "", '[">=0.8.5, <0.9.0", ">=0.9.3"]', "[]", ""),
    ("between", "0.9.1", "", '[">=0.8.5, <0.9.0", ">=0.9.3"]', "[]", "finding"),
    ("early", "2.0.0-rc.1", "", '[">=2.0.0"]', "[]", "finding"),
    ("left", "1.0.0", 'informational = "unmaintained"', "[]", "[]", "finding"),
    ("odd", "1.0.0", 'informational = "unsound"', "[]", "[]", "finding"),
    ("told", "1.0.0", 'informational = "notice"', "[]", "[]", "notice"),
    ("taken-back", "1.0.0", 'withdrawn = "2024-01-01"', "[]", "[]", ""),
]


def expect_cannot_tell(lock, folder):
    try:
        check(lock, folder)
    except (CannotTell, OSError):
        return
    raise AssertionError(f"{lock} against {folder} passed, and should not have been told")


def self_test():
    for range_, inside, outside in RANGES:
        for text in inside.split():
            assert holds(range_, version(text)), f"{range_} should hold {text}"
        for text in outside.split():
            assert not holds(range_, version(text)), f"{range_} should not hold {text}"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        lock = folder / "Cargo.lock"
        text = 'version = 4\n[[package]]\nname = "ours"\nversion = "0.1.0"\n'
        expect_cannot_tell(lock, folder)
        for number, (name, locked, extra, patched, unaffected, _) in enumerate(SAMPLE):
            text += (f'[[package]]\nname = "{name}"\nversion = "{locked}"\n'
                     f'source = "registry+https://example.com/index"\n')
            place = folder / "crates" / name
            place.mkdir(parents=True)
            (place / f"RUSTSEC-2024-{number:04}.md").write_text(
                f'```toml\n[advisory]\nid = "RUSTSEC-2024-{number:04}"\npackage = "{name}"\n'
                f"{extra}\n[versions]\npatched = {patched}\nunaffected = {unaffected}\n```\n\n# x\n")
        lock.write_text(text)
        findings, notices, packages, _ = check(lock, folder)
        assert packages == len(SAMPLE) + 1, packages
        for kind, lines in (("finding", findings), ("notice", notices)):
            expected = [row[0] for row in SAMPLE if row[5] == kind]
            assert [line.split()[0] for line in lines] == expected, (kind, lines)
        expect_cannot_tell(lock, folder / "nowhere")
        (folder / "crates/holed/RUSTSEC-2024-9999.md").write_text("no block")
        expect_cannot_tell(lock, folder)
    print("advisories: self-test passed")


def main(arguments):
    if arguments == ["--self-test"]:
        self_test()
        return 0
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        findings, notices, packages, advisories = check(*arguments)
    except (CannotTell, OSError, KeyError, ValueError) as error:
        print(f"advisories: the check could not be made: {error}", file=sys.stderr)
        return 2
    for line in notices:
        print(f"notice: {line}")
    for line in findings:
        print(f"FINDING: {line}", file=sys.stderr)
    print(f"advisories: {len(findings)} findings in {packages} packages "
          f"against {advisories} advisories")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
