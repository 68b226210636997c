#!/bin/bash
# Limiter(Rate(...)).try_acquire('alice'): whose limit is it, and does it try?
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: pyrate-limiter 4.5.1 (PyPI)"
echo "Guess:    the name given to try_acquire is the key: each user has their own limit; try_acquire answers at once, yes or no."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" pyrate-limiter==4.5.1 >&2
seen=$(
	PYTHONPATH="$dir" python3 - <<-'EOF'
		import time
		from pyrate_limiter import Limiter, Rate

		two = Limiter(Rate(2, 60_000))
		print("2 a minute:", *[f"{u} {two.try_acquire(u, blocking=False)}" for u in ("alice", "bob", "carol")])
		two, start = Limiter(Rate(2, 1_000)), time.monotonic()
		answers = [two.try_acquire("alice") for _ in range(3)]
		print("2 a second, try_acquire three times:", *answers, "after", round(time.monotonic() - start), "s")
	EOF
)
echo "Seen:"
echo "$seen"
echo "Matters:  'carol' is refused for what two others did, and a handler that only wanted an answer blocks (with a limit per day: for"
echo "          hours). A limit per user needs your own BucketFactory, and blocking=False."
[ "$seen" = "2 a minute: alice True bob True carol False
2 a second, try_acquire three times: True True True after 1 s" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
