// Runs the public audit suite for GraphQL over HTTP (graphql-http's) against a server: node http.mjs URL TOKEN FOLDER
// FOLDER is where `graphql-http` was installed. Ends with 1 where a MUST or a SHOULD does not pass; a MAY is only told.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [url, token, folder] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { auditServer } = await import(pathToFileURL(require.resolve("graphql-http")));

// what every client of this API sends: its token, and with a GET the header that no form can send
const results = await auditServer({
  url,
  fetchFn: (input, init = {}) =>
    fetch(input, {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${token}`, "graphql-require-preflight": "1" },
    }),
});

let failed = 0;
for (const { id, name, status, reason } of results) {
  if (status === "ok") continue;
  if (!name.startsWith("MAY")) failed += 1;
  console.log(`${status.padEnd(6)} ${id} ${name}: ${reason}`);
}
const count = (kind) => results.filter((each) => each.name.startsWith(kind));
for (const kind of ["MUST", "SHOULD", "MAY"]) {
  const of = count(kind);
  console.log(`${kind}: ${of.filter((each) => each.status === "ok").length} of ${of.length} pass`);
}
process.exit(failed ? 1 : 0);
