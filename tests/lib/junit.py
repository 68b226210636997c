"""Prints "PASSED FAILED [skipped N]" of JUnit files, as ctest and pytest write them."""
import itertools
import sys
import xml.etree.ElementTree

passed = failed = skipped = 0
for case in itertools.chain.from_iterable(xml.etree.ElementTree.parse(path).getroot().iter("testcase") for path in sys.argv[1:]):
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        failed += 1
    elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
        skipped += 1
    else:
        passed += 1
print(passed, failed, *([f"{skipped} skipped"] if skipped else []))
