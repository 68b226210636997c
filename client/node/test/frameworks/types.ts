/** Compiled, not run: the adapters fit the types of the real packages. */
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { ChatOpenAI } from "@langchain/openai";
import { OpenAIProvider, Runner } from "@openai/agents";
import { wrapLanguageModel as wrap5 } from "ai5";
import { wrapLanguageModel as wrap6 } from "ai6";
import { wrapEmbeddingModel as wrapEmbedding7, wrapLanguageModel as wrap7 } from "ai7";
import { createOpenAI as openai5 } from "ai-openai5";
import { createOpenAI as openai6 } from "ai-openai6";
import { createOpenAI as openai7 } from "ai-openai7";
import { Bursar } from "bursar";
import { bursarCallbacks, bursarModels } from "bursar/agents";
import { bursarEmbeddings, bursarMiddleware, withBursar as aroundModel } from "bursar/ai";
import { withBursar as withAnthropic } from "bursar/anthropic";
import { rateLimit } from "bursar/express";
import { withBursar as withGoogle } from "bursar/google";
import { withRateLimit } from "bursar/next";
import { withBursar as withOpenAI } from "bursar/openai";
import express from "express";
import type { NextRequest } from "next/server.js";
import OpenAI from "openai";
import OpenAI6 from "openai6";

const bursar = new Bursar();
const options = { user: "ann" };

export const openai: OpenAI = withOpenAI(new OpenAI(), bursar, options);
export const older: OpenAI6 = withOpenAI(new OpenAI6(), bursar, options);
export const anthropic: Anthropic = withAnthropic(new Anthropic(), bursar, options);
export const google: GoogleGenAI = withGoogle(new GoogleGenAI({}), bursar, options);
export const models = [
  wrap5({ model: openai5()("gpt-4o"), middleware: bursarMiddleware(bursar, options) }),
  wrap6({ model: openai6()("gpt-4o"), middleware: bursarMiddleware(bursar, options) }),
  wrap7({ model: openai7()("gpt-4o"), middleware: bursarMiddleware(bursar, options) }),
  wrapEmbedding7({ model: openai7().embedding("text-embedding-3-small"), middleware: bursarEmbeddings(bursar, options) }),
  aroundModel(openai7()("gpt-4o"), bursar, options).modelId,
];
export const runner = new Runner({ modelProvider: bursarModels(new OpenAIProvider(), bursar, options) });
export const chat = new ChatOpenAI({ callbacks: [bursarCallbacks(bursar, options)] });
export const app = express()
  .use(rateLimit(bursar, { user: (req) => req.headers["x-user"] as string | undefined }))
  .get("/", (req, res) => { req.bursar?.usage({ prompt_tokens: 1 }); res.end(); });
export const POST = withRateLimit(bursar, { user: (request: NextRequest) => request.cookies.get("user")?.value }, async (request, context, job) => {
  const answer = await withOpenAI(openai, job).chat.completions.create({ model: "gpt-4o", messages: [] });
  return Response.json(answer);
});
