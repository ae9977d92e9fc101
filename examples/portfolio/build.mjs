// Bundles src/ into dist/: a page, a script and a style sheet that fetch nothing from anywhere else.
//   TRUSTED=1   the page sends the ids of its documents and never their text, for hubs that answer trusted documents only

import { build } from "esbuild";
import { copyFile, mkdir, rm } from "node:fs/promises";

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
await build({
  entryPoints: ["src/main.tsx", "src/style.css"],
  outdir: "dist",
  bundle: true,
  minify: true,
  sourcemap: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { TRUSTED: JSON.stringify(process.env.TRUSTED === "1") },
});
await copyFile("src/index.html", "dist/index.html");
await copyFile("src/gql/persisted-documents.json", "dist/documents.json");
