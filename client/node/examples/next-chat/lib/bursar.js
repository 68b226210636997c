import { Bursar } from "bursar";
import OpenAI from "openai";
import { startFakeLlm } from "../../fake-llm.mjs";

/* One client for the process, also when Next.js loads this module several times. */
const shared = (globalThis.chat ??= {});

export const bursar = (shared.bursar ??= new Bursar({ interface: "web", onError: (error) => console.error(error.message) }));
export const pool = bursar.pool("agent-execution");
export const MODEL = "gpt-4o-mini";

/** OpenAI, or a fake LLM without a key. */
export function openai() {
  return (shared.openai ??= process.env.OPENAI_API_KEY ? Promise.resolve(new OpenAI()) : startFakeLlm().then(({ baseURL }) => new OpenAI({ apiKey: "none", baseURL })));
}

/** In place of a login: the id of who has logged in. */
export const userOf = (request) => request.headers.get("x-user") ?? request.cookies.get("user")?.value;
