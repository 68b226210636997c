export { estimateTokens } from "./estimate.js";
export { estimateRequest } from "./request.js";
