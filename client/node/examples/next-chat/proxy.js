/** Before every page: so many requests for each address. The routes under /api have limits of their own. */
import { rateLimitProxy } from "bursar/next";
import { bursar } from "./lib/bursar.js";

export const proxy = rateLimitProxy(bursar, { trustedProxies: ["loopback"] });
export const config = { matcher: "/" };
