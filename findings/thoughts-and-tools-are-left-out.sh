#!/bin/bash
# An answer of Gemini with thoughts and with what its tools read: 5,410 tokens, of them 5,100 in and 310 out.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: @langchain/google-genai 2.3.2, @langchain/google 0.2.6, @ai-sdk/google 3.0.141 with ai 6.0.326 and 4.0.121 with ai 7.0.173 (npm),"
echo "          over fetch in memory; gemini-2.5-pro costs 1.25 USD per million in and 10 USD out: 0.009475 USD"
echo "Guess:    a library made for Gemini counts thoughts as output and toolUsePromptTokenCount as input; input and output add up to the total."

cd "$dir"
npm install --silent --no-audit --no-fund @langchain/core@1.4.0 @langchain/google-genai@2.3.2 @langchain/google@0.2.6 \
	ai6@npm:ai@6.0.326 google3@npm:@ai-sdk/google@3.0.141 ai7@npm:ai@7.0.173 google4@npm:@ai-sdk/google@4.0.121 >&2
cat >probe.mjs <<'EOF'
const usageMetadata = { promptTokenCount: 100, toolUsePromptTokenCount: 5000, candidatesTokenCount: 10, thoughtsTokenCount: 300, totalTokenCount: 5410 };
const content = { role: 'model', parts: [{ text: 'hi' }] };
const answer = { candidates: [{ content, finishReason: 'STOP', index: 0 }], modelVersion: 'gemini-2.5-pro', usageMetadata };
const fetch = async () => new Response(JSON.stringify(answer), { headers: { 'content-type': 'application/json' } });
globalThis.fetch = fetch;
const { ChatGoogleGenerativeAI } = await import('@langchain/google-genai');
const { ChatGoogle } = await import('@langchain/google');

const say = (name, input, output, total) => {
	const usd = (1.25 * input + 10 * output) / 1e6;
	console.log(`${name}: ${input} in, ${output} out, total ${total}: ${usd.toFixed(6)} USD`);
};
for (const [name, Model] of [['@langchain/google-genai', ChatGoogleGenerativeAI], ['@langchain/google', ChatGoogle]]) {
	const usage = (await new Model({ model: 'gemini-2.5-pro', apiKey: 'k' }).invoke('hi')).usage_metadata;
	say(name, usage.input_tokens, usage.output_tokens, usage.total_tokens);
}
for (const [ai, google, version] of [['ai6', 'google3', '3.0.141'], ['ai7', 'google4', '4.0.121']]) {
	const { generateText } = await import(ai);
	const { createGoogleGenerativeAI } = await import(google);
	const { usage } = await generateText({ model: createGoogleGenerativeAI({ apiKey: 'k', fetch })('gemini-2.5-pro'), prompt: 'hi' });
	say(`@ai-sdk/google ${version}`, usage.inputTokens, usage.outputTokens, usage.totalTokens);
}
EOF
seen=$(node probe.mjs)
echo "Seen:"
echo "$seen"
echo "Matters:  what an agent with search or thoughts spends is recorded as the fortieth part of it or as a third, and only some of the"
echo "          libraries keep a total that shows it. Compare the classes with the provider's totalTokenCount, and charge and flag what"
echo "          is missing."
[ "$seen" = "@langchain/google-genai: 100 in, 10 out, total 5410: 0.000225 USD
@langchain/google: 100 in, 310 out, total 5410: 0.003225 USD
@ai-sdk/google 3.0.141: 100 in, 310 out, total 410: 0.003225 USD
@ai-sdk/google 4.0.121: 5100 in, 310 out, total 5410: 0.009475 USD" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
