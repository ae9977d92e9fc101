// Serves dist/, and hands /graphql on to a hub, WebSockets too: for the browser both are one origin, so the hub needs no CORS.
//   HUB=http://127.0.0.1:8000   where the hub is
//   PORT=5173                   where this listens, on loopback; 0: any free port, which is told

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import { request as secureRequest } from "node:https";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const hub = new URL(process.env.HUB ?? "http://127.0.0.1:8000");
const send = hub.protocol === "https:" ? secureRequest : request;
const folder = fileURLToPath(new URL("dist", import.meta.url));
const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
};
const safe = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

// A hub elsewhere is asked by its own name; the page's origin then has to be in its hub.yaml's graphql.origins.
const local = ["127.0.0.1", "localhost", "[::1]"].includes(hub.hostname);
const onward = (incoming) => ({
  protocol: hub.protocol,
  hostname: hub.hostname.replace(/^\[|\]$/g, ""),
  port: hub.port,
  method: incoming.method,
  path: incoming.url,
  headers: local ? incoming.headers : { ...incoming.headers, host: hub.host },
});
const isApi = (url) => url === "/graphql" || url.startsWith("/graphql?");

async function file(url, response) {
  const path = normalize(decodeURIComponent(new URL(url, "http://here").pathname));
  const wanted = join(folder, path === "/" ? "index.html" : path);
  const found = wanted.startsWith(folder) && (await stat(wanted).catch(() => null));
  if (!found || !found.isFile()) {
    response.writeHead(404, { ...safe, "content-type": "text/plain" }).end("not found\n");
    return;
  }
  response.writeHead(200, { ...safe, "content-type": types[extname(wanted)] ?? "application/octet-stream" });
  createReadStream(wanted).pipe(response);
}

const server = createServer((incoming, response) => {
  if (!isApi(incoming.url)) {
    file(incoming.url, response).catch(() => response.writeHead(400, safe).end());
    return;
  }
  const out = send(onward(incoming), (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  out.on("error", () => {
    if (response.headersSent) response.destroy();
    else {
      const errors = [{ message: `no hub answers at ${hub.origin}` }];
      response.writeHead(502, { "content-type": "application/json" }).end(JSON.stringify({ errors }));
    }
  });
  response.on("close", () => out.destroy());
  incoming.pipe(out);
});

server.on("upgrade", (incoming, socket, head) => {
  socket.on("error", () => socket.destroy());
  if (!isApi(incoming.url)) return socket.destroy();
  const out = send(onward(incoming));
  out.on("error", () => socket.destroy());
  out.on("response", () => socket.destroy()); // it was refused
  out.on("upgrade", (answer, behind, first) => {
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
    if (first.length) socket.write(first);
    if (head.length) behind.write(head);
    behind.on("error", () => socket.destroy());
    behind.on("close", () => socket.destroy());
    socket.on("close", () => behind.destroy());
    socket.pipe(behind).pipe(socket);
  });
  out.end();
});

server.listen(Number(process.env.PORT ?? 5173), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}  (hub: ${hub.origin})`);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
