"""Asks a gateway with an SDK for Python: ask.py SDK PORT CASE...; all cases at once, a line of JSON for each."""
import concurrent.futures
import json
import sys

sdk, port, cases = sys.argv[1], sys.argv[2], sys.argv[3:]
if sdk == "openai-py":
    import openai as package
else:
    import anthropic as package


def answer_of(key):
    messages = [{"role": "user", "content": "hi"}]
    if sdk == "openai-py":
        client = package.OpenAI(api_key=key, base_url=f"http://127.0.0.1:{port}/v1")
        return client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content
    client = package.Anthropic(api_key=key, base_url=f"http://127.0.0.1:{port}")
    return client.messages.create(model="claude", max_tokens=9, messages=messages).content[0].text


def outcome_of(case):
    try:
        return {"case": case, "status": 200, "text": answer_of(f"{sdk}.{case}")}
    except package.RateLimitError as error:
        return {"case": case, "status": error.status_code, "text": str(error), "reason": error.response.headers.get("x-bursar-reason")}


with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
    for outcome in pool.map(outcome_of, cases):
        print(json.dumps(outcome))
