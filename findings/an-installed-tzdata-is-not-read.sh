#!/bin/bash
# The newest tzdata from PyPI on a machine whose system has an older one.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: tzdata 2026.6 and 2025.2 (PyPI), Python's zoneinfo"
echo "Guess:    a program that pins the tzdata package follows the rules of that version; this is the reason to pin it."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/new" tzdata==2026.6 >&2
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/system" tzdata==2025.2 >&2
cat >"$dir/probe.py" <<'EOF'
import datetime, importlib.metadata, sys, zoneinfo

zoneinfo.reset_tzpath(to=sys.argv[1:])
winter = datetime.datetime(2026, 12, 15, 12, tzinfo=zoneinfo.ZoneInfo("America/Vancouver"))
print(f"tzdata {importlib.metadata.version('tzdata')} is installed, Vancouver is at UTC{winter:%z}")
EOF
seen=$(
	export PYTHONPATH="$dir/new"
	echo "on a system without zones:      $(python3 "$dir/probe.py")"
	echo "on a system with those of 2025: $(python3 "$dir/probe.py" "$dir/system/tzdata/zoneinfo")"
)
echo "Seen:"
echo "$seen"
echo "Matters:  zoneinfo reads the system's files first, and the package only if they are missing: the pinned version is not the one in"
echo "          force, and resets are an hour off after a law has changed. Update the system, or set PYTHONTZPATH to an empty value."
[ "$seen" = "on a system without zones:      tzdata 2026.6 is installed, Vancouver is at UTC-0700
on a system with those of 2025: tzdata 2026.6 is installed, Vancouver is at UTC-0800" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
