#!/bin/bash
# What a million tokens cost by the price data of a token counter, and by a price list of the same week.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: gpt-tokenizer 4.0.0, @pydantic/genai-prices 0.1.8 (npm)"
echo "Guess:    estimateCost() of gpt-tokenizer/model/gpt-4o gives gpt-4o's price, 2.50 USD in and 10 out; for a model without a price it"
echo "          says so."

cd "$dir"
npm install --silent --no-audit --no-fund gpt-tokenizer@4.0.0 @pydantic/genai-prices@0.1.8 >&2
cat >probe.mjs <<'EOF'
import { calcPrice } from '@pydantic/genai-prices';

for (const model of ['gpt-4-turbo', 'gpt-4o', 'gpt-4.1', 'gpt-5', 'o3', 'o1', 'gpt-5.1']) {
	const { estimateCost } = await import(`gpt-tokenizer/model/${model}`);
	const list = (usage) => calcPrice(usage, model, { providerId: 'openai' }).total_price;
	let told;
	try {
		const { main } = estimateCost(1e6);
		told = `${main.input} in, ${main.output} out`;
	} catch (e) {
		told = e.message;
	}
	console.log(`${model}: ${told}; price list ${list({ input_tokens: 1e6 })} in, ${list({ output_tokens: 1e6 })} out`);
}
EOF
seen=$(node probe.mjs)
echo "Seen:"
echo "$seen"
echo "Matters:  some models have the price of another one, told with the same confidence as a real price, while others have"
echo "          none: gpt-5 costs eight times its input price. Take prices from a list that names its source and date, and compare two"
echo "          lists before one of them decides about budgets."
[ "$seen" = "gpt-4-turbo: 10 in, 30 out; price list 10 in, 30 out
gpt-4o: 10 in, 30 out; price list 2.5 in, 10 out
gpt-4.1: 10 in, 30 out; price list 2 in, 8 out
gpt-5: 10 in, 30 out; price list 1.25 in, 10 out
o3: 15 in, 60 out; price list 2 in, 8 out
o1: 15 in, 60 out; price list 15 in, 60 out
gpt-5.1: No cost information available for model: gpt-5.1-2025-11-13; price list 1.25 in, 10 out" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
