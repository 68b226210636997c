/** Frameworks for agents under limits: @openai/agents, LangChain with LangGraph, and mastra (whose models are the AI SDK's). */
export { bursarModels } from "./agents-openai.js";
export { bursarCallbacks, LangChainDenied, type LangChainCallbacks } from "./agents-langchain.js";
export { withBursar as bursarModel } from "./ai.js";
export { Denied, deniedOf, type GuardOptions } from "./guard.js";
