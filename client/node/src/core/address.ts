/** Where servers are: what people write, and what gRPC is given. client/addresses.json has the table that the clients of all languages keep to. */
import { BursarError } from "./errors.js";

const DEFAULT_ADDRESS = "127.0.0.1:7420";
const DEFAULT_PORT = ":7420";
const HOST = /^(?:[^\s/:[\]]+|\[(?=[^%\]]*:)[0-9A-Fa-f:.]+(?:%[^\s/:[\]]+)?\])(?<port>:\d{1,5})?$/;

function invalid(message: string): BursarError {
  return new BursarError("INVALID_ARGUMENT", `address: ${message}`, { field: "address" });
}

/** With a port, if it is not a path. */
function whole(address: string): string {
  const port = HOST.exec(address)?.groups?.["port"];

  if (/^unix:.+/.test(address)) return address;
  if (!HOST.test(address) || (port && !(Number(port.slice(1)) > 0 && Number(port.slice(1)) < 65536))) {
    const hint = address.includes("://") ? ": write it without http://" : "";
    throw invalid(`'${address}' is not an address${hint}; it looks like ${DEFAULT_ADDRESS} or unix:/run/bursar.sock`);
  }
  return port ? address : address + DEFAULT_PORT;
}

/** Of what was given, or else of BURSAR_ADDR; the default if that is empty. */
export function readAddresses(given: string | readonly string[] | undefined): string[] {
  const text = given ?? (process.env["BURSAR_ADDR"] || DEFAULT_ADDRESS);
  const list = typeof text === "string" ? text.split(",") : text;

  if (list.length === 0) throw invalid("the list is empty");
  return [...new Set(list.map((one) => whole(one.trim())))];
}
