// Asks a gateway with an SDK for Node: ask.mjs SDK PORT CASE...; all cases at once, a line of JSON for each. Lies beside node_modules.
const [sdk, port, ...cases] = process.argv.slice(2);
const packages = {"openai-node-6": "openai6", "openai-node-7": "openai7", "anthropic-node": "@anthropic-ai/sdk"};
const {default: Client} = await import(packages[sdk]);

async function answerOf(apiKey) {
	const messages = [{role: "user", content: "hi"}];
	if (sdk === "anthropic-node") {
		const client = new Client({apiKey, baseURL: `http://127.0.0.1:${port}`});
		return (await client.messages.create({model: "claude", max_tokens: 9, messages})).content[0].text;
	}
	const client = new Client({apiKey, baseURL: `http://127.0.0.1:${port}/v1`});
	return (await client.chat.completions.create({model: "gpt-4o", messages})).choices[0].message.content;
}

async function outcomeOf(name) {
	try {
		return {case: name, status: 200, text: await answerOf(`${sdk}.${name}`)};
	} catch (error) {
		if (!(error instanceof Client.RateLimitError)) throw error;
		return {case: name, status: error.status, text: error.message, reason: error.headers.get("x-bursar-reason")};
	}
}

for (const outcome of await Promise.all(cases.map(outcomeOf))) console.log(JSON.stringify(outcome));
