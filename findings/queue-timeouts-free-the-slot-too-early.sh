#!/bin/bash
# A concurrency of one, and a time limit for each job.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: p-queue 9.3.5 and bottleneck 2.19.5 (npm)"
echo "Guess:    with a concurrency of 1 there is never more than one running job, whatever 'timeout' or 'expiration' says."

(cd "$dir" && npm install --silent --no-audit --no-fund p-queue@9.3.5 bottleneck@2.19.5 >&2)
cat >"$dir/probe.mjs" <<'EOF'
import PQueue from 'p-queue';
import Bottleneck from 'bottleneck';
import { setTimeout as pause } from 'timers/promises';

let running = 0, most = 0;
const job = async () => {
	most = Math.max(most, ++running);
	await pause(1000);
	running--;
};
const run = async (name, add) => {
	most = 0;
	const ended = await Promise.allSettled([1, 2, 3].map(add));
	console.log(`${name}: ${ended.filter(e => e.status === 'rejected').length} of 3 timed out, at most ${most} ran at once`);
	while (running) await pause(50);
};
const queue = new PQueue({ concurrency: 1, timeout: 200 });
await run('p-queue, concurrency 1', () => queue.add(job));
const limiter = new Bottleneck({ maxConcurrent: 1 });
await run('bottleneck, maxConcurrent 1', () => limiter.schedule({ expiration: 200 }, job));
process.exit();
EOF
seen=$(cd "$dir" && node probe.mjs)
echo "Seen:"
echo "$seen"
echo "Matters:  the cap on parallel calls disappears exactly when a model is slow, and each abandoned call is still paid for. A slot is"
echo "          free when the work has ended or was aborted (an AbortSignal), not when somebody stopped waiting for it."
[ "$seen" = "p-queue, concurrency 1: 3 of 3 timed out, at most 3 ran at once
bottleneck, maxConcurrent 1: 3 of 3 timed out, at most 3 ran at once" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
