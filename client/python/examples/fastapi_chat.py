"""A chat over HTTP: check, queue, run, record, warn. An LLM that only pretends is part of it, so that it runs as it is:

    deploy/local up
    pip install bursar fastapi uvicorn openai
    python client/python/examples/fastapi_chat.py                  # LLM_URL and OPENAI_API_KEY: a real LLM
    curl -N localhost:8000/chat -H 'X-User: ann' -H 'Content-Type: application/json' -d '{"text": "Tell me something."}'

The answer is a stream of events: {"position": 2, "eta_s": 30} while the request waits for a slot, {"text": "..."}, {"warning": "..."} once when
a quota is nearly used up, and {"cost_usd": "..."} at the end. A user over a limit gets 429 with the headers that SDKs act on.
"""
import asyncio
import contextlib
import json
import os

import openai
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from bursar import Bursar, BursarError, Denied, Limit, Queued
from bursar.estimate import estimate_request, estimate_tokens
from bursar.web.headers import denial, of_check

PORT = int(os.environ.get("PORT", "8000"))
MODEL = os.environ.get("MODEL", "gpt-4o")
MOST = 500  # tokens that an answer may have
POOL = os.environ.get("POOL", "agent-execution")
WORDS_A_SECOND = float(os.environ.get("WORDS_A_SECOND", "10"))


class Question(BaseModel):
    text: str


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI):
    async with Bursar(interface="web") as app.state.bursar:  # BURSAR_ADDR, BURSAR_KEY
        yield


app = FastAPI(lifespan=lifespan)
llm = openai.AsyncOpenAI(base_url=os.environ.get("LLM_URL", f"http://127.0.0.1:{PORT}/llm/v1"), max_retries=0,
                         api_key=os.environ.get("OPENAI_API_KEY", "none"))


@app.post("/chat")
async def chat(question: Question, request: Request):
    user = request.headers.get("x-user", "anonymous")  # your authentication
    events: asyncio.Queue = asyncio.Queue()
    task = asyncio.create_task(answer(user, question.text, events))
    try:
        first = await events.get()
    except asyncio.CancelledError:
        task.cancel()
        raise
    if isinstance(first, Denied):
        return JSONResponse(denial(first.check), 429, of_check(first.check))
    return StreamingResponse(sent(first, events, task), media_type="text/event-stream")


async def sent(event, events, task):
    """The events as they come. When the client leaves, the work ends, and with it the slot."""
    try:
        while event is not None:
            yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n"
            event = await events.get()
    finally:
        task.cancel()


async def answer(user, text, events):
    """One request: from the queue to its record. Leaving the block gives the slot back and settles the reservation, however it ends."""
    asked = estimate_request({"messages": [{"role": "user", "content": text}]})
    try:
        slots = app.state.bursar.pool(POOL)
        async with slots.slot(user=user, model=MODEL, input_tokens=asked, max_output_tokens=MOST,
                              on_queued=lambda queued: events.put_nowait(position(queued))) as slot:
            for limit in slot.check.notify:
                events.put_nowait({"warning": warning(limit)})
            await think(text, slot, events, asked)
        for limit in slot.recorded.notify:
            events.put_nowait({"warning": warning(limit)})
        events.put_nowait({"cost_usd": f"{slot.recorded.cost_nano_usd / 1e9:.9f}"})
    except Denied as denied:
        events.put_nowait(denied)
    except (BursarError, openai.OpenAIError) as error:
        events.put_nowait({"error": str(error)})
    finally:
        events.put_nowait(None)


async def think(text, slot, events, asked):
    said = ""
    try:
        async with await llm.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], stream=True,
                                                     max_completion_tokens=MOST, stream_options={"include_usage": True}) as stream:
            async for chunk in stream:
                if chunk.usage:
                    slot.usage(chunk, provider="openai")  # as it came: Bursar reads it
                for choice in chunk.choices:
                    said += choice.delta.content or ""
                    events.put_nowait({"text": choice.delta.content or ""})
    except asyncio.CancelledError:  # the client has left: what it was sent is paid
        slot.usage(usage={"input_tokens": asked, "output_tokens": estimate_tokens(said)})
        raise


def position(queued: Queued) -> dict:
    return {"position": queued.position, "eta_s": round(queued.eta_ms / 1000)}


def warning(limit: Limit) -> str:
    return f"You have used {limit.used_percent}% of your {limit.dimension} for this {limit.window or 'period'}."


@app.post("/llm/v1/chat/completions")
async def pretend(request: Request):
    """In place of an LLM: says a sentence, word by word, and what it has used."""
    asked = await request.json()
    words = f"You said: {asked['messages'][-1]['content']} And I have nothing to add.".split()
    about = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": asked["model"]}
    usage = {"prompt_tokens": estimate_request(asked), "completion_tokens": len(words)}
    usage["total_tokens"] = sum(usage.values())

    async def chunks():
        for word in words:
            delta = {"index": 0, "delta": {"role": "assistant", "content": word + " "}, "finish_reason": None}
            yield f"data: {json.dumps({**about, 'choices': [delta]})}\n\n"
            await asyncio.sleep(1 / WORDS_A_SECOND)
        yield f"data: {json.dumps({**about, 'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n"

    return StreamingResponse(chunks(), media_type="text/event-stream")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
