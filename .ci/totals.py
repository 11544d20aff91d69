#!/usr/bin/env python3
"""Adds up the Surefire XML reports below the given directories and prints one closing line.

The XML is read because Surefire's text reports miscount @Nested classes.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

passed = failed = skipped = 0
reports = [
    report
    for directory in sys.argv[1:] or ["."]
    for report in sorted(pathlib.Path(directory).glob("**/target/surefire-reports*/TEST-*.xml"))
]
for report in reports:
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            print(f"failed: {case.get('classname')}.{case.get('name')}")
        elif case.find("skipped") is not None:
            skipped += 1
            print(f"skipped: {case.get('classname')}.{case.get('name')}")
        else:
            passed += 1

print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
