"""The usage objects of tests/unit/domain/test_usage_*.c, billed once more, in fractions, by a calculator that shares nothing with the server.

Each provider is billed as its documentation says, from the object that it sends: not from the meters that Bursar reads from it.
"""
import json
import math
import re
from fractions import Fraction

from harness.paths import ROOT

STRING = r'"(?:[^"\\]|\\.)*"'
STRINGS = rf"({STRING}(?:\s*{STRING})*)"
CASE = re.compile(rf"\{{{STRINGS},\s*{STRINGS},\s*{STRINGS},\s*{STRINGS},\s*(-?\d+)\}}")

# What price_make in usage_cases.c says in words, in USD.
MILLION, FEES = 10**6, {"web_searches": "0.01", "file_searches": "0.0025", "code_executions": "0.03", "search_units": "0.002", "audio_seconds": "0.0001",
                        "pages": "0.001", "input_images": "0.0001"}
TOKENS = {"input": "2", "cached_input": "0.2", "cache_write": "2.5", "cache_write_1h": "4", "output": "10", "reasoning": "10", "audio_input": "40",
          "audio_output": "80", "cached_audio_input": "0.4", "image_input": "5", "cached_image_input": "0.5", "image_output": "30", "video_input": "3",
          "citation": "2"}
USD = {**{name: Fraction(usd) / MILLION for name, usd in TOKENS.items()}, **{name: Fraction(usd) for name, usd in FEES.items()}}


def nano(**used):
    assert min(used.values(), default=0) >= 0, used
    return math.ceil(sum(USD[name] * count for name, count in used.items()) * 10**9)


def cases():
    """(file, about, provider, object, {meter or word: value}, nano-USD)"""
    for path in sorted((ROOT / "tests" / "unit" / "domain").glob("test_usage_*.c")):
        for match in CASE.finditer(path.read_text()):
            about, provider, sent, reads = ("".join(json.loads(part) for part in re.findall(STRING, group)) for group in match.groups()[:4])
            words = dict((word.split("=", 1) + [""])[:2] for word in reads.split(" unknown:")[0].split())
            yield path.name, about, provider, json.loads(sent.replace("'", '"')), words, int(match[5])


def number(value):
    return Fraction(str(value)) if value is not None else Fraction(0)


def of(holder, *names):
    """The first of the members that there is; 0 if there is none."""
    return next((number(holder[name]) for name in names if holder and holder.get(name) is not None), Fraction(0))


def inside(value, *names):
    """The object at the first of the paths that leads to one, else `value` itself."""
    for path in names:
        at = value
        for name in path.split("."):
            at = at.get(name) if isinstance(at, dict) else None
        if isinstance(at, dict):
            return at
    return value


def part(holder, *names):
    return next((holder[name] for name in names if holder.get(name)), {})


def openai(sent, calls=()):
    """Cached, written, audio and image tokens are in the prompt; reasoning and audio are in the completion."""
    use = inside(sent, "response.body.usage", "response.usage", "x_groq.usage", "usage")
    put, got = part(use, "prompt_tokens_details", "input_tokens_details", "input_token_details"), part(
        use, "completion_tokens_details", "output_tokens_details", "output_token_details")
    if use.get("type") == "duration":
        return nano(audio_seconds=math.ceil(of(use, "seconds")))
    cached = of(put, "cached_tokens") or of(use, "prompt_cache_hit_tokens", "cached_prompt_tokens", "num_cached_tokens", "cache_read_input_tokens")
    both = part(put, "cached_tokens_details")
    writes = of(put, "cache_write_tokens", "cache_creation_tokens") or of(use, "cache_creation_input_tokens")
    long = of(part(put, "cache_write_tokens_details"), "ttl_12h_tokens") + of(part(put, "cache_creation_token_details"), "ephemeral_1h_input_tokens")
    audio, image = of(put, "audio_tokens"), of(put, "image_tokens")
    prompt, heard, seen = of(use, "prompt_tokens", "input_tokens"), of(both, "audio_tokens"), of(both, "image_tokens")
    said, drawn = of(got, "audio_tokens"), of(got, "image_tokens")
    fresh = prompt - (cached - heard - seen) - writes - audio - image
    items = [item["type"] for item in sent.get("output", []) if item.get("action", {}).get("type", "search") == "search"] if isinstance(sent, dict) else []
    answer = of(use, "completion_tokens", "output_tokens")
    beside = of(use, "total_tokens") - prompt - answer
    if beside > 0 and beside == of(got, "reasoning_tokens"):
        answer += beside  # xAI: the total has the reasoning, the completion does not
    elif of(got, "reasoning_tokens") > answer:
        answer += of(got, "reasoning_tokens")
    if beside > 0 and beside == cached:
        fresh += beside  # LiteLLM: the prompt does not have the cached tokens
    return nano(input=fresh, cached_input=cached - heard - seen, cache_write=writes - long, cache_write_1h=long, audio_input=audio - heard,
                cached_audio_input=heard, image_input=image - seen, cached_image_input=seen, output=answer - said - drawn, audio_output=said,
                image_output=drawn, web_searches=items.count("web_search_call"), file_searches=items.count("file_search_call"),
                **{name: of(holder, *names) for name, holder, *names in calls})


def images(sent):
    use = inside(sent, "usage")
    put, got = part(use, "input_tokens_details"), part(use, "output_tokens_details")
    return nano(input=of(put, "text_tokens"), image_input=of(put, "image_tokens"), output=of(got, "text_tokens"),
                image_output=of(use, "output_tokens") - of(got, "text_tokens"))


def xai(sent):
    use = inside(sent, "usage")
    tools = part(use, "server_side_tool_usage_details")
    searches = of(use, "num_sources_used") or of(tools, "web_search_calls") + of(tools, "x_search_calls")
    if "prompt_text_tokens" in use:  # xai-sdk: reasoning beside the completion, the text of the prompt has its cached part
        return nano(input=of(use, "prompt_text_tokens") - of(use, "cached_prompt_text_tokens"), cached_input=of(use, "cached_prompt_text_tokens"),
                    image_input=of(use, "prompt_image_tokens"), output=of(use, "completion_tokens") + of(use, "reasoning_tokens"))
    return openai(sent, [("code_executions", tools, "code_interpreter_calls")]) + nano(web_searches=searches)


def mistral(sent):
    use = inside(sent, "usage", "usage_info")
    return openai(sent) + nano(audio_seconds=of(use, "prompt_audio_seconds"), pages=of(use, "pages_processed"))


def perplexity(sent):
    """Citations and reasoning are billed beside what is called the total."""
    use = inside(sent, "usage")
    return nano(input=of(use, "prompt_tokens"), output=of(use, "completion_tokens"), reasoning=of(use, "reasoning_tokens"),
                citation=of(use, "citation_tokens"), web_searches=of(use, "num_search_queries"))


def anthropic(sent):
    """Nothing is part of anything, but thinking of the output; of iterations each is billed, and the events of a stream grow."""
    if isinstance(sent, list):
        told = {}
        for event in sent:
            for name, value in inside(event, "message.usage", "usage").items():
                if isinstance(value, int):
                    told[name] = max(told.get(name, 0), value)
                elif name == "server_tool_use":
                    told[name] = value
        sent = told
    use = inside(sent, "result.message.usage", "usage")
    tools = part(use, "server_tool_use")
    rounds = use.get("iterations") or [use]
    total = nano(web_searches=of(tools, "web_search_requests"), code_executions=of(tools, "code_execution_requests"))
    for one in rounds:
        split = part(one, "cache_creation")
        hour = of(split, "ephemeral_1h_input_tokens")
        five = of(split, "ephemeral_5m_input_tokens") if split else of(one, "cache_creation_input_tokens")
        total += nano(input=of(one, "input_tokens"), cached_input=of(one, "cache_read_input_tokens"), cache_write=five, cache_write_1h=hour,
                      output=of(one, "output_tokens"))
    return total


def modes_of(use, *names):
    """{modality: tokens}"""
    return {row["modality"].split(".")[-1]: of(row, "tokenCount", "token_count") for row in part(use, *names) or []}


def google(sent):
    if isinstance(sent, list):
        sent = sent[-1]
    use = inside(sent, "usageMetadata", "usage_metadata")
    put, cache = modes_of(use, "promptTokensDetails", "prompt_tokens_details"), modes_of(use, "cacheTokensDetails", "cache_tokens_details")
    got = modes_of(use, "candidatesTokensDetails", "candidates_tokens_details", "responseTokensDetails")
    prompt, tool = of(use, "promptTokenCount", "prompt_token_count"), of(use, "toolUsePromptTokenCount")
    cached, thoughts = of(use, "cachedContentTokenCount", "cached_content_token_count"), of(use, "thoughtsTokenCount", "thoughts_token_count")
    answer = of(use, "candidatesTokenCount", "candidates_token_count", "responseTokenCount")
    if of(use, "totalTokenCount", "total_token_count") == prompt + tool + answer + thoughts:
        answer += thoughts
    sees, hears, films = (put.get(name, 0) for name in ("IMAGE", "AUDIO", "VIDEO"))
    saw, heard, filmed = (cache.get(name, 0) for name in ("IMAGE", "AUDIO", "VIDEO"))
    return nano(input=prompt + tool - sees - hears - films - (cached - saw - heard - filmed), cached_input=cached - saw - heard, image_input=sees - saw,
                cached_image_input=saw, audio_input=hears - heard, cached_audio_input=heard, video_input=films - filmed,
                output=answer - got.get("IMAGE", 0) - got.get("AUDIO", 0), image_output=got.get("IMAGE", 0), audio_output=got.get("AUDIO", 0))


def adk(sent):
    return sum(google(event) for event in sent if not event.get("partial")) if isinstance(sent, list) else google(sent)


def cohere(sent):
    units = inside(sent, "meta.billed_units", "billed_units")
    return nano(input=of(units, "input_tokens"), output=of(units, "output_tokens"), search_units=of(units, "search_units"), input_images=of(units, "images"))


def bedrock(sent):
    if "input_tokens" in sent:
        return anthropic(sent)
    use = inside(sent, "usage", "amazon-bedrock-invocationMetrics")
    hour = sum(of(row, "inputTokens") for row in use.get("cacheDetails", []) if row["ttl"] == "1h")
    return nano(input=of(use, "inputTokens", "inputTokenCount"), cached_input=of(use, "cacheReadInputTokens"), cache_write_1h=hour,
                cache_write=of(use, "cacheWriteInputTokens") - hour, output=of(use, "outputTokens", "outputTokenCount"))


def ollama(sent):
    return nano(input=of(sent, "prompt_eval_count"), output=of(sent, "eval_count"))


def pydantic(sent):
    """The cache, and in it audio, is in the input."""
    read, write, hour, heard = (of(sent, name) for name in ("cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "cache_audio_read_tokens"))
    audio, said = of(sent, "input_audio_tokens"), of(sent, "output_audio_tokens")
    return nano(input=of(sent, "input_tokens") - read - write - audio + heard, cached_input=read - heard, cache_write=write - hour, cache_write_1h=hour,
                audio_input=audio - heard, cached_audio_input=heard, output=of(sent, "output_tokens") - said, audio_output=said,
                audio_seconds=math.ceil(of(sent, "audio_seconds")))


def agents(sent):
    put = part(sent, "input_tokens_details", "inputTokensDetails")
    cached = sum(of(row, "cached_tokens") for row in (put if isinstance(put, list) else [put]))
    return nano(input=of(sent, "input_tokens", "inputTokens") - cached, cached_input=cached, output=of(sent, "output_tokens", "outputTokens"))


def langchain(sent):
    if isinstance(sent, list):
        return sum(langchain(message) for message in sent)
    use = inside(sent, "usage_metadata")
    if use.get("total_cost") == 0:
        return 0  # its own cache answered
    put, got = part(use, "input_token_details"), part(use, "output_token_details")
    read, hour = of(put, "cache_read", "flex_cache_read"), of(put, "ephemeral_1h_input_tokens")
    five = of(put, "ephemeral_5m_input_tokens") or of(put, "cache_creation") - hour
    return nano(input=of(use, "input_tokens") - read - five - hour - of(put, "audio"), cached_input=read, cache_write=max(five, 0), cache_write_1h=hour,
                audio_input=of(put, "audio"), output=of(use, "output_tokens") - of(got, "audio"), audio_output=of(got, "audio"))


def ai_sdk(sent):
    use = inside(sent, "totalUsage", "usage")
    put = part(use, "inputTokenDetails")
    read, write = of(put, "cacheReadTokens") or of(use, "cachedInputTokens"), of(put, "cacheWriteTokens") or of(use, "cacheCreationInputTokens")
    return nano(input=of(use, "inputTokens") - read - write, cached_input=read, cache_write=write, output=of(use, "outputTokens"))


def genkit(sent):
    return nano(input=of(sent, "inputTokens") - of(sent, "cachedContentTokens"), cached_input=of(sent, "cachedContentTokens"),
                output=of(sent, "outputTokens") + of(sent, "thoughtsTokens"))


def openai_last(sent):
    return openai(sent[-1] if isinstance(sent, list) else sent)


def realtime(sent):
    return sum(openai(one) for one in sent) if isinstance(sent, list) else openai(sent)


# The rows of docs/usage.md by name, and how each is billed.
ROWS = {"openai": openai_last, "openai-realtime": realtime, "openai-images": images, "openai-agents": agents, "anthropic": anthropic, "google": google,
        "google-live": google, "google-adk": adk, "xai": xai, "mistral": mistral, "perplexity": perplexity, "openrouter": openai, "cohere": cohere,
        "bedrock": bedrock, "ollama": ollama, "pydantic-ai": pydantic, "langchain": langchain, "ai-sdk": ai_sdk, "genkit": genkit, "dspy": openai}
ALSO = {"azure": "openai", "openai-chat": "openai", "openai-responses": "openai", "openai-audio": "openai", "openai-embeddings": "openai",
        "deepseek": "openai", "groq": "openai", "litellm": "openai", "vllm": "openai", "crewai": "openai", "autogen": "openai", "together": "openai",
        "realtime": "openai-realtime", "claude": "anthropic", "gemini": "google", "vertex-ai": "google", "google-genai": "google",
        "gemini-live": "google-live", "adk": "google-adk", "x-ai": "xai", "grok": "xai", "mistralai": "mistral", "cohere-ai": "cohere",
        "bedrock-converse": "bedrock", "pydantic": "pydantic-ai", "mirascope": "pydantic-ai", "langgraph": "langchain", "mastra": "ai-sdk"}


def row_of(provider):
    return ALSO.get(provider, provider)


def test_each_object_costs_what_its_meters_cost():
    found = list(cases())
    wrong = [(file, about, cost, told) for file, about, _, _, words, told in found
             if (cost := nano(**{name: int(value) for name, value in words.items() if name in USD})) != told]
    assert not wrong and len(found) > 100, (wrong, len(found))


def test_each_object_costs_what_its_provider_bills():
    """What contradicts itself, or says nothing, is billed by nobody."""
    billed, wrong = {}, []
    for file, about, provider, sent, words, told in cases():
        if {"inconsistent", "estimated"} & set(words) or row_of(provider) not in ROWS or about.startswith("another provider's"):
            continue
        billed.setdefault(row_of(provider), []).append(about)
        bill = ROWS[row_of(provider)](sent)
        if bill != told:
            wrong.append((file, about, bill, told))
    assert not wrong, wrong
    formats = (ROOT / "docs" / "usage.md").read_text().split("## Formats")[1].split("## Members")[0]
    rows = set(re.findall(r"^\| `([a-z-]+)`", formats, re.MULTILINE)) - {"auto"}
    assert set(billed) == set(ROWS) == rows, rows ^ set(billed)
    assert sum(map(len, billed.values())) >= 70, billed
