#!/bin/bash
# A callback that refuses a request before it is sent, in LangChain's four combinations of synchronous and asynchronous.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: langchain-core 1.8.3 (PyPI)"
echo "Guess:    an exception in on_chat_model_start of a handler with raise_error=True stops the call, so that a budget can be kept there."

cd "$dir"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target packages langchain-core==1.8.3 >&2
cat >probe.py <<'EOF'
import asyncio
import logging

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

logging.disable(logging.CRITICAL)
paid = []


class Model(BaseChatModel):
    @property
    def _llm_type(self):
        return "probe"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        paid.append(messages)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Hello."))])


class OverBudget(RuntimeError):
    pass


class Handler(BaseCallbackHandler):
    raise_error = True

    def on_chat_model_start(self, *_, **__):
        raise OverBudget


class AsyncHandler(AsyncCallbackHandler):
    raise_error = True

    async def on_chat_model_start(self, *_, **__):
        raise OverBudget


async def outcome(handler, call):
    paid.clear()
    config = {"callbacks": [handler()]}
    try:
        if call == "invoke":
            Model().invoke("Hi", config=config)
        else:
            await Model().ainvoke("Hi", config=config)
        said = "answered"
    except OverBudget:
        said = "refused"
    return f"{handler.__name__} in {call}(): {said}, {len(paid)} paid requests"


for handler in (Handler, AsyncHandler):
    for call in ("invoke", "ainvoke"):
        print(asyncio.run(outcome(handler, call)))
EOF
seen=$(PYTHONPATH=packages python3 -W ignore probe.py)
echo "Seen:"
echo "$seen"
echo "Matters:  the asynchronous handler of an application that also calls invoke() somewhere refuses nothing there: the exception is"
echo "          logged and swallowed, and the request is paid. Refuse in a wrapper of the model, or in a synchronous handler."
[ "$seen" = "Handler in invoke(): refused, 0 paid requests
Handler in ainvoke(): refused, 0 paid requests
AsyncHandler in invoke(): answered, 1 paid requests
AsyncHandler in ainvoke(): refused, 0 paid requests" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
