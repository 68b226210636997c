import { fileURLToPath } from "node:url";

/* bursar uses gRPC, which Next.js is to load and not to bundle. */
export default {
  serverExternalPackages: ["bursar", "@grpc/grpc-js"],
  /* Only because this example links the package from the repository that it is in; an application has it in its node_modules. */
  turbopack: { root: fileURLToPath(new URL(process.env.BURSAR_ROOT ?? "../..", import.meta.url)) },
};
