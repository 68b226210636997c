#!/bin/bash
# A server that reports the usage so far with each chunk of a stream.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: langchain-openai 1.7.4, pydantic-ai-slim 2.68.0, openai-agents 0.24.0 and their openai 3.57.0 (PyPI), against an imitation of"
echo "          a server with vLLM's continuous_usage_stats: 100 tokens in, and 1, 2, then 3 out"
echo "Guess:    the last report counts: 100 in and 3 out, because an input is not sent three times."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" openai==3.57.0 langchain-openai==1.7.4 \
	pydantic-ai-slim==2.68.0 openai-agents==0.24.0 >&2
cat >"$dir/probe.py" <<'EOF'
import asyncio, http.server, json, os, threading

def chunk(text, out):
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop" if out == 3 else None}
    usage = {"prompt_tokens": 100, "completion_tokens": out, "total_tokens": 100 + out}
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], "usage": usage}

class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for data in [json.dumps(chunk(text, i + 1)) for i, text in enumerate("abc")] + ["[DONE]"]:
            self.wfile.write(f"data: {data}\n\n".encode())

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ |= {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_address[1]}/v1", "LANGSMITH_TRACING": "false"}

import openai
from agents import Agent as OpenAIAgent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from langchain_openai import ChatOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel

async def pydantic_ai(**settings):
    async with Agent(OpenAIChatModel("m"), model_settings=settings).run_stream("hi") as run:
        await run.get_output()
    return run.usage.input_tokens, run.usage.output_tokens

async def agents():
    set_tracing_disabled(True)
    run = Runner.run_streamed(OpenAIAgent("a", model=OpenAIChatCompletionsModel("m", openai.AsyncOpenAI())), "hi")
    async for _ in run.stream_events():
        pass
    return run.context_wrapper.usage.input_tokens, run.context_wrapper.usage.output_tokens

async def main():
    with openai.OpenAI().chat.completions.stream(model="m", messages=[{"role": "user", "content": "hi"}]) as stream:
        usage = stream.get_final_completion().usage
    print(f"openai: {usage.prompt_tokens} in, {usage.completion_tokens} out")
    print("openai-agents: {} in, {} out".format(*await agents()))
    usage = ChatOpenAI(model="m", streaming=True, stream_usage=True).invoke("hi").usage_metadata
    print(f"langchain-openai: {usage['input_tokens']} in, {usage['output_tokens']} out")
    print("pydantic-ai: {} in, {} out".format(*await pydantic_ai()))
    print("pydantic-ai, openai_continuous_usage_stats: {} in, {} out".format(*await pydantic_ai(openai_continuous_usage_stats=True)))

asyncio.run(main())
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py")
echo "Seen:"
echo "$seen"
echo "Matters:  a stream of 500 chunks is billed 500 inputs, and the limit and the budget are gone with one long answer. When the reports"
echo "          within one stream never decrease, they are totals: keep the last one, and compare it with the estimate before you settle."
[ "$seen" = "openai: 100 in, 3 out
openai-agents: 100 in, 3 out
langchain-openai: 300 in, 6 out
pydantic-ai: 300 in, 6 out
pydantic-ai, openai_continuous_usage_stats: 100 in, 3 out" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
