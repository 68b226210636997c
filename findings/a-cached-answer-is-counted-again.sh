#!/bin/bash
# The same prompt three times through LangChain with a cache: how often the model is called, and what the usage callback counts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: langchain-core 1.8.1 (PyPI), its InMemoryCache and get_usage_metadata_callback"
echo "Guess:    an answer from the cache cost nothing, so the callback that adds up a chain's usage counts the first one only."

cd "$dir"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target packages langchain-core==1.8.1 >&2
cat >probe.py <<'EOF'
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.globals import set_llm_cache
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

calls = []


class Model(BaseChatModel):
    @property
    def _llm_type(self):
        return "probe"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        calls.append(messages)
        usage = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
        message = AIMessage("Hello.", usage_metadata=usage, response_metadata={"model_name": "probe-1"})
        return ChatResult(generations=[ChatGeneration(message=message)])


set_llm_cache(InMemoryCache())
model = Model()
with get_usage_metadata_callback() as counted:
    answers = [model.invoke("Hi") for _ in range(3)]
print(f"the model was called {len(calls)} time; the callback counts {counted.usage_metadata['probe-1']['total_tokens']} tokens")
print("usage of the second answer:", answers[1].usage_metadata)
EOF
seen=$(PYTHONPATH=packages python3 -W ignore probe.py)
echo "Seen:"
echo "$seen"
echo "Matters:  a user is charged each time for what was paid once. The only trace is total_cost: 0 inside a dictionary of tokens: an"
echo "          answer whose usage_metadata has it came from the cache and costs nothing."
[ "$seen" = "the model was called 1 time; the callback counts 4500 tokens
usage of the second answer: {'input_tokens': 1000, 'output_tokens': 500, 'total_tokens': 1500, 'total_cost': 0}" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
