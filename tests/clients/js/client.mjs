// Clients of Bursar on @grpc/grpc-js and @connectrpc/connect-node, for tests/e2e/test_grpc_clients.py:
//
//     client.mjs grpc-js|connect-node ADDRESS DESCRIPTORS [CA] <script
//
// tests/clients/go/main.go says what a script is, and what is answered. Both know the messages from the descriptors only.
import { createFileRegistry, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import grpc from "@grpc/grpc-js";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [library, address, descriptors, ca] = process.argv.slice(2);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
const json = { registry };

function methodOf(order) {
    const [service, name] = order.method.split("/");
    return registry.getService(service).methods.find((method) => method.name === name);
}

function requestsOf(order, method) {
    return order.requests.map((request) => fromJson(method.input, request, json));
}

function detailOf(type, value) {
    const schema = registry.getMessage(type);
    return { "@type": `type.googleapis.com/${type}`, ...toJson(schema, fromBinary(schema, value), json) };
}

// ---- grpc-js

function grpcJs() {
    const roots = ca ? grpc.credentials.createSsl(readFileSync(ca)) : grpc.credentials.createInsecure();
    const client = new grpc.Client(address, roots);

    function start(order, method, metadata, options) {
        const write = (message) => Buffer.from(toBinary(method.input, message));
        const read = (bytes) => fromBinary(method.output, bytes);
        const requests = requestsOf(order, method);
        if (method.methodKind !== "bidi_streaming") {
            return client.makeServerStreamRequest(`/${order.method}`, write, read, requests[0], metadata, options);
        }
        const call = client.makeBidiStreamRequest(`/${order.method}`, write, read, metadata, options);
        for (const request of requests) call.write(request);
        call.end();
        return call;
    }

    function end(out, error) {
        Object.assign(out, { code: error.code, text: error.details });
        for (const bytes of error.metadata.get("grpc-status-details-bin")) {
            const status = fromBinary(registry.getMessage("google.rpc.Status"), bytes);
            out.details.push(...status.details.map((any) => detailOf(any.typeUrl.split("/").pop(), any.value)));
        }
    }

    return (order, out) => new Promise((resolve) => {
        const metadata = new grpc.Metadata();
        for (const [name, value] of Object.entries(order.metadata ?? {})) metadata.set(name, value);
        const method = methodOf(order);
        const call = start(order, method, metadata, { deadline: Date.now() + order.timeout * 1000 });
        call.on("data", (message) => {
            out.messages.push(toJson(method.output, message, json));
            if (out.messages.length === order.take) call.cancel();
        });
        call.on("metadata", (headers) => { out.headers = headers.toJSON(); });
        call.on("error", () => {}); // the status says it, too
        call.on("status", (status) => {
            if (status.code) end(out, status);
            out.trailers = status.metadata.toJSON();
            resolve();
        });
    });
}

// ---- connect-node

function connectNode() {
    const transport = createGrpcTransport({
        baseUrl: `${ca ? "https" : "http"}://${address}`, httpVersion: "2", nodeOptions: ca ? { ca: readFileSync(ca) } : {},
    });
    const lists = (headers) => Object.fromEntries([...headers].map(([name, value]) => [name, [value]]));

    async function messages(order, method, out, stop) {
        const client = createClient(method.parent, transport);
        const options = {
            headers: order.metadata, timeoutMs: order.timeout * 1000, signal: stop.signal,
            onHeader: (headers) => { out.headers = lists(headers); }, onTrailer: (trailers) => { out.trailers = lists(trailers); },
        };
        const requests = requestsOf(order, method);
        const sent = method.methodKind === "bidi_streaming" ? (async function* () { yield* requests; })() : requests[0];
        const answer = client[method.localName](sent, options);
        for await (const message of method.methodKind === "unary" ? [await answer] : answer) {
            out.messages.push(toJson(method.output, message, json));
            if (out.messages.length === order.take) stop.abort();
        }
    }

    return async (order, out) => {
        try {
            await messages(order, methodOf(order), out, new AbortController());
        } catch (thrown) {
            const error = ConnectError.from(thrown);
            Object.assign(out, { code: error.code, text: error.rawMessage });
            out.details.push(...error.details.map((detail) => detailOf(detail.type, detail.value)));
        }
    };
}

const call = library === "grpc-js" ? grpcJs() : connectNode();
for await (const line of createInterface({ input: process.stdin })) {
    const out = { messages: [], code: 0, text: "", details: [], headers: {}, trailers: {} };
    await call(JSON.parse(line), out);
    console.log(JSON.stringify(out));
}
process.exit(0);
