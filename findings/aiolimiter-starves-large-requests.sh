#!/bin/bash
# A large request waits first, and small ones keep coming.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: aiolimiter 1.3.0 (PyPI)"
echo "Guess:    requests are served in order: a request for 5 of 5 a second waits one second, then the small ones continue."

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
echo "Matters:  if it limits tokens per minute, one long prompt never runs while short ones keep the bucket low: it waits as long as"
echo "          they come. Fairness needs a queue, and a bucket alone has none."
[ "$seen" = "asked first, served: 31 of 31" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
