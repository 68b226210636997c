#!/bin/bash
# The same call of gpt-5 with and without cached tokens, and of grok-4 with reasoning, as two cost calculators see it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: tokenlens 1.3.1, @pydantic/genai-prices 0.1.8, ai 6.0.326 with @ai-sdk/openai 3.0.141 and @ai-sdk/xai 3.0.138 (npm), over fetch"
echo "          in memory: a million tokens in and a million out"
echo "Guess:    tokenlens, which takes the AI SDK's usage as it is, knows that inputTokens include the cached and outputTokens the"
echo "          reasoning tokens: a cache hit makes the call cheaper, and reasoning costs nothing on top."

cd "$dir"
npm install --silent --no-audit --no-fund tokenlens@1.3.1 @pydantic/genai-prices@0.1.8 ai@6.0.326 @ai-sdk/openai@3.0.141 @ai-sdk/xai@3.0.138 >&2
cat >probe.mjs <<'EOF'
import { calcPrice } from '@pydantic/genai-prices';
import { createOpenAI } from '@ai-sdk/openai';
import { createXai } from '@ai-sdk/xai';
import { generateText } from 'ai';
import { getUsage } from 'tokenlens';

const million = 1e6;
async function compare(name, model, cached, reasoning, make) {
	const usage = {
		prompt_tokens: million, completion_tokens: million - reasoning, total_tokens: 2 * million, // xAI reports reasoning beside the rest
		prompt_tokens_details: { cached_tokens: cached }, completion_tokens_details: { reasoning_tokens: reasoning },
	};
	const message = { role: 'assistant', content: 'hi' };
	const body = { id: 'x', object: 'chat.completion', created: 1, model, choices: [{ index: 0, finish_reason: 'stop', message }], usage };
	const fetch = async () => new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
	const told = (await generateText({ model: make(fetch), prompt: 'hi' })).usage;
	const counts = { input_tokens: told.inputTokens, output_tokens: told.outputTokens, cache_read_tokens: told.cachedInputTokens };
	const lens = getUsage({ modelId: name, usage: told }).costUSD;
	const exact = calcPrice(counts, model, { timestamp: new Date('2025-10-01') });
	console.log(`${name}, ${told.inputTokens} in (${cached} cached), ${told.outputTokens} out (${reasoning} reasoning):`,
		`tokenlens ${lens.totalUSD} USD, genai-prices ${exact.total_price} USD`);
}
const openai = (fetch) => createOpenAI({ apiKey: 'k', fetch }).chat('gpt-5');
const xai = (fetch) => createXai({ apiKey: 'k', fetch }).chat('grok-4');
await compare('openai:gpt-5', 'gpt-5', 0, 0, openai);
await compare('openai:gpt-5', 'gpt-5', million, 0, openai);
await compare('xai:grok-4', 'grok-4', 0, 0, xai);
await compare('xai:grok-4', 'grok-4', 0, 900000, xai);
EOF
seen=$(node probe.mjs)
echo "Seen:"
echo "$seen"
echo "Matters:  cached tokens are charged in full and once more at their own price, so that cached input costs eleven times its price;"
echo "          reasoning is charged twice where the catalogue has a price for it. Split usage into classes that do not overlap before"
echo "          any price is applied, and check that their sum is the provider's total."
[ "$seen" = "openai:gpt-5, 1000000 in (0 cached), 1000000 out (0 reasoning): tokenlens 11.25 USD, genai-prices 11.25 USD
openai:gpt-5, 1000000 in (1000000 cached), 1000000 out (0 reasoning): tokenlens 11.38 USD, genai-prices 10.125 USD
xai:grok-4, 1000000 in (0 cached), 1000000 out (0 reasoning): tokenlens 18 USD, genai-prices 18 USD
xai:grok-4, 1000000 in (0 cached), 1000000 out (900000 reasoning): tokenlens 31.5 USD, genai-prices 18 USD" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
