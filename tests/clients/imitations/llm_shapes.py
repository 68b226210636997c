"""The answers of llm.py in each provider's shape: whole, or as the events of a stream."""
import json
import re
import typing


class Event(typing.NamedTuple):
    text: str
    word: bool = False  # whether it has a part of the answer's text


def sse(value, name=None):
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(value)}\n\n"


class Shape:
    """One request and what it is answered."""

    def __init__(self, path, body, settings):
        self.path, self.body, self.settings = path, body, settings
        self.model = body.get("model", "")
        self.streams = bool(body.get("stream"))
        self.text = settings["text"]
        self.words = re.findall(r"\S+\s*", self.text)
        self.use = settings["usage"]
        self.tool = self.first_tool() if self.rounds_so_far() < settings["tool_rounds"] else None
        self.arguments = json.dumps(settings["arguments"])

    def first_tool(self):
        for tool in self.body.get("tools") or []:
            return (tool.get("function") or tool).get("name")
        return None

    def rounds_so_far(self):
        return 0


class Chat(Shape):
    """OpenAI's chat completions."""

    def rounds_so_far(self):
        return sum(message["role"] == "tool" for message in self.body["messages"])

    def usage(self):
        return self.use and {
            "prompt_tokens": self.use["input"], "completion_tokens": self.use["output"], "total_tokens": self.use["input"] + self.use["output"],
            "prompt_tokens_details": {"cached_tokens": self.use["cached"], "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": self.use["reasoning"], "audio_tokens": 0,
                                          "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}

    def call(self):
        return {"id": f"call_{self.rounds_so_far()}", "type": "function", "function": {"name": self.tool, "arguments": self.arguments}}

    def whole(self):
        message = {"role": "assistant", "content": None if self.tool else self.text, "refusal": None}
        if self.tool:
            message["tool_calls"] = [self.call()]
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": self.model, "service_tier": "default",
                  "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if self.tool else "stop", "logprobs": None}]}
        return answer | {"usage": self.usage()} if self.use else answer

    def part(self, delta, finish=None):
        chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": self.model,
                 "choices": [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]}
        return chunk | {"usage": None} if self.asked() else chunk

    def asked(self):
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    def events(self):
        yield Event(sse(self.part({"role": "assistant", "content": ""})))
        if self.tool:
            yield Event(sse(self.part({"tool_calls": [{"index": 0} | self.call()]})))
        else:
            for word in self.words:
                yield Event(sse(self.part({"content": word})), True)
        yield Event(sse(self.part({}, "tool_calls" if self.tool else "stop")))
        if self.asked() and self.use:
            yield Event(sse(self.part({}) | {"choices": [], "usage": self.usage()}))
        yield Event("data: [DONE]\n\n")


class Responses(Shape):
    """OpenAI's responses."""

    def rounds_so_far(self):
        items = self.body.get("input")
        return sum(item.get("type") == "function_call_output" for item in items) if isinstance(items, list) else 0

    def usage(self):
        return self.use and {
            "input_tokens": self.use["input"], "input_tokens_details": {"cached_tokens": self.use["cached"]},
            "output_tokens": self.use["output"], "output_tokens_details": {"reasoning_tokens": self.use["reasoning"]},
            "total_tokens": self.use["input"] + self.use["output"]}

    def item(self, status="completed"):
        if self.tool:
            number = self.rounds_so_far()
            return {"id": f"fc_{number}", "type": "function_call", "status": status, "call_id": f"call_{number}", "name": self.tool,
                    "arguments": self.arguments if status == "completed" else ""}
        content = [{"type": "output_text", "text": self.text, "annotations": [], "logprobs": []}] if status == "completed" else []
        return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}

    def whole(self, status="completed"):
        done = status == "completed"
        return {"id": "resp_1", "object": "response", "created_at": 1, "status": status, "error": None, "incomplete_details": None,
                "instructions": None, "max_output_tokens": None, "model": self.model, "output": [self.item()] if done else [],
                "parallel_tool_calls": True, "previous_response_id": None, "reasoning": {"effort": None, "summary": None}, "store": True,
                "temperature": 1.0, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": self.body.get("tools") or [],
                "top_p": 1.0, "truncation": "disabled", "service_tier": "default", "usage": self.usage() if done else None, "user": None,
                "metadata": {}}

    def steps(self):
        """(type, members, whether it has text) of each event."""
        yield "response.created", {"response": self.whole("in_progress")}, False
        yield "response.in_progress", {"response": self.whole("in_progress")}, False
        yield "response.output_item.added", {"output_index": 0, "item": self.item("in_progress")}, False
        at = {"item_id": self.item()["id"], "output_index": 0}
        if self.tool:
            yield "response.function_call_arguments.delta", at | {"delta": self.arguments}, False
            yield "response.function_call_arguments.done", at | {"arguments": self.arguments, "name": self.tool}, False
        else:
            at["content_index"] = 0
            yield "response.content_part.added", at | {"part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []}}, False
            for word in self.words:
                yield "response.output_text.delta", at | {"delta": word, "logprobs": []}, True
            yield "response.output_text.done", at | {"text": self.text, "logprobs": []}, False
            yield "response.content_part.done", at | {"part": self.item()["content"][0]}, False
        yield "response.output_item.done", {"output_index": 0, "item": self.item()}, False
        yield "response.completed", {"response": self.whole()}, False

    def events(self):
        for number, (kind, members, word) in enumerate(self.steps()):
            yield Event(sse({"type": kind, "sequence_number": number} | members, kind), word)


class Messages(Shape):
    """Anthropic's messages. Its input counts neither what was read from the cache nor what was written to it."""

    def rounds_so_far(self):
        return sum(part.get("type") == "tool_result" for message in self.body["messages"] if isinstance(message["content"], list)
                   for part in message["content"])

    def usage(self, output):
        use = self.use or {"input": 0, "cached": 0, "write": 0}
        return {"input_tokens": use["input"] - use["cached"] - use["write"], "cache_read_input_tokens": use["cached"],
                "cache_creation_input_tokens": use["write"],
                "cache_creation": {"ephemeral_5m_input_tokens": use["write"], "ephemeral_1h_input_tokens": 0},
                "output_tokens": output, "service_tier": "standard"}

    def block(self):
        if self.tool:
            return {"type": "tool_use", "id": f"toolu_{self.rounds_so_far()}", "name": self.tool, "input": self.settings["arguments"]}
        return {"type": "text", "text": self.text}

    def whole(self):
        output = self.use["output"] if self.use else 0
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": self.model, "content": [self.block()],
                "stop_reason": "tool_use" if self.tool else "end_turn", "stop_sequence": None, "usage": self.usage(output)}

    def steps(self):
        whole = self.whole()
        yield "message_start", {"message": whole | {"content": [], "stop_reason": None, "usage": self.usage(1 if self.use else 0)}}, False
        empty = self.block() | ({"input": {}} if self.tool else {"text": ""})
        yield "content_block_start", {"index": 0, "content_block": empty}, False
        yield "ping", {}, False
        if self.tool:
            yield "content_block_delta", {"index": 0, "delta": {"type": "input_json_delta", "partial_json": self.arguments}}, False
        else:
            for word in self.words:
                yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": word}}, True
        yield "content_block_stop", {"index": 0}, False
        yield "message_delta", {"delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
                                "usage": {"output_tokens": whole["usage"]["output_tokens"]}}, False
        yield "message_stop", {}, False

    def events(self):
        for kind, members, word in self.steps():
            yield Event(sse({"type": kind} | members, kind), word)


class Gemini(Shape):
    """Google's generateContent. Its thoughts are beside the candidates."""

    def __init__(self, path, body, settings):
        super().__init__(path, body, settings)
        self.model, _, method = path.rpartition("/")[2].partition(":")
        self.streams = method == "streamGenerateContent"

    def first_tool(self):
        for tool in self.body.get("tools") or []:
            for declaration in tool.get("functionDeclarations") or []:
                return declaration["name"]
        return None

    def rounds_so_far(self):
        return sum("functionResponse" in part for content in self.body["contents"] for part in content["parts"])

    def usage(self):
        use = self.use
        return {"usageMetadata": {
            "promptTokenCount": use["input"], "cachedContentTokenCount": use["cached"], "candidatesTokenCount": use["output"] - use["reasoning"],
            "thoughtsTokenCount": use["reasoning"], "totalTokenCount": use["input"] + use["output"],
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": use["input"]}]}} if use else {}

    def response(self, part, last=True):
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
        return {"candidates": [candidate | ({"finishReason": "STOP"} if last else {})], "modelVersion": self.model, "responseId": "r1"} | (
            self.usage() if last else {})

    def part(self):
        return {"functionCall": {"name": self.tool, "args": self.settings["arguments"]}} if self.tool else {"text": self.text}

    def whole(self):
        return self.response(self.part())

    def events(self):
        if self.tool:
            yield Event(sse(self.response(self.part())))
            return
        for number, word in enumerate(self.words, 1):
            yield Event(sse(self.response({"text": word}, number == len(self.words))), True)


def embeddings(body, settings):
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    count = settings["usage"]["input"] if settings["usage"] else 0
    return {"object": "list", "model": body["model"], "usage": {"prompt_tokens": count, "total_tokens": count},
            "data": [{"object": "embedding", "index": number, "embedding": [0.0, 1.0]} for number in range(len(texts))]}


SHAPES = [
    (lambda path: path.endswith("/chat/completions"), Chat),
    (lambda path: path.endswith("/responses"), Responses),
    (lambda path: path.endswith("/messages"), Messages),
    (lambda path: path.endswith((":generateContent", ":streamGenerateContent")), Gemini),
]
