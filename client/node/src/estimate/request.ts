/** Estimates the input of a whole request to an LLM: its messages, instructions and tools, in the shape of any provider. */
import { estimateTokens } from "./estimate.js";
import { RULE } from "../gen/rule.js";

type Json = unknown;
const COST: { reply: number; message: number; image: number; file: number } = RULE.request;

/** Members that contain text of a conversation; Google's JavaScript SDK has some of them under `config`. */
const TEXTS = ["system", "systemInstruction", "system_instruction", "instructions", "messages", "input", "contents", "prompt"];
/** Members that are schemas: their names are read by the model, too. */
const SCHEMAS = ["tools", "functions", "response_format", "responseSchema", "responseJsonSchema", "text", "output_config"];
/** Members of a message that say how it is built, and not what. */
const STRUCTURE = new Set(["role", "type", "id", "tool_call_id", "tool_use_id", "call_id", "cache_control", "status", "media_type", "mimeType"]);
const IMAGES = new Set(["image", "image_url", "input_image"]);
const FILES = new Set(["document", "file", "input_file", "input_audio", "audio", "video"]);

/** How many input tokens a request has, about. `tokenize` takes the place of the rule for its texts. */
export function estimateRequest(body: Json, tokenize: (text: string) => number = estimateTokens): number {
  if (typeof body === "string") return COST.reply + tokenize(body);
  if (!isObject(body)) return COST.reply;
  const reading = new Reading(tokenize);
  const parts = isObject(body["config"]) ? [body, body["config"]] : [body];
  for (const part of parts) {
    for (const name of TEXTS) reading.text(part[name]);
    for (const name of SCHEMAS) reading.schema(part[name]);
  }
  return COST.reply + reading.tokens;
}

function isObject(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

class Reading {
  tokens = 0;
  readonly #tokenize: (text: string) => number;

  constructor(tokenize: (text: string) => number) {
    this.#tokenize = tokenize;
  }

  /** Of a conversation: every text in it, a flat figure for pictures and files, and something for each message. */
  text(value: Json): void {
    if (typeof value === "string") this.tokens += value.startsWith("data:") ? COST.file : this.#tokenize(value);
    else if (Array.isArray(value)) for (const each of value) this.text(each);
    else if (isObject(value)) this.#object(value);
  }

  #object(value: Record<string, Json>): void {
    const data = value["inlineData"] ?? value["inline_data"] ?? value["fileData"] ?? value["file_data"];
    const type = typeof value["type"] === "string" ? value["type"] : "";
    const mime = isObject(data) ? String(data["mimeType"] ?? data["mime_type"] ?? "") : "";
    if (IMAGES.has(type) || mime.startsWith("image/")) this.tokens += COST.image;
    else if (FILES.has(type) || data !== undefined) this.tokens += COST.file;
    else {
      if ("role" in value) this.tokens += COST.message;
      for (const [name, each] of Object.entries(value)) if (!STRUCTURE.has(name)) this.text(each);
    }
  }

  /** Of a schema: every name and value in it, and one token for what stands between them. */
  schema(value: Json): void {
    if (typeof value === "string") this.tokens += this.#tokenize(value) + 1;
    else if (typeof value === "number" || typeof value === "boolean") this.tokens += 1;
    else if (Array.isArray(value)) for (const each of value) this.schema(each);
    else if (isObject(value))
      for (const [name, each] of Object.entries(value)) {
        this.tokens += this.#tokenize(name) + 1;
        this.schema(each);
      }
  }
}
