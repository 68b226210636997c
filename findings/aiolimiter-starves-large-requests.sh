#!/bin/bash
# A large request that waits first, and small ones that keep coming.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: aiolimiter 1.3.0 (PyPI)"
echo "Guess:    who waits first is served first: a request for 5 of 5 a second waits one second, then the small ones go on."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" aiolimiter==1.3.0 >&2
seen=$(
	PYTHONPATH="$dir" python3 - <<-'EOF'
		import asyncio
		from aiolimiter import AsyncLimiter

		order = []

		async def ask(limiter, name, amount):
		    await limiter.acquire(amount)
		    order.append(name)

		async def stream(limiter, name):
		    for i in range(15):
		        await ask(limiter, f"{name}{i}", 1)

		async def main():
		    limiter = AsyncLimiter(5, 1)
		    await limiter.acquire(5)
		    large = asyncio.create_task(ask(limiter, "LARGE", 5))
		    await asyncio.sleep(0)
		    await asyncio.gather(large, stream(limiter, "a"), stream(limiter, "b"))
		    print("asked first, served:", order.index("LARGE") + 1, "of", len(order))

		asyncio.run(main())
	EOF
)
echo "Seen:"
echo "$seen"
echo "Matters:  used for tokens a minute, one long prompt never runs while short ones keep the bucket low: it waits as long as they come."
echo "          Fairness needs a queue; a bucket alone has none."
[ "$seen" = "asked first, served: 31 of 31" ] || {
	echo "CHANGED: this is no longer what was seen."
	exit 1
}
