// Bundles the console into the folder that is named: `node build.mjs ../static`.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { build } from "esbuild";

const out = process.argv[2];
if (!out) {
  console.error("usage: node build.mjs FOLDER");
  process.exit(2);
}

const { metafile } = await build({
  entryPoints: { console: "src/main.tsx" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  metafile: true,
});

await mkdir(out, { recursive: true });
for (const name of ["index.html", "icon.svg"]) {
  await copyFile(name, join(out, name));
}
await writeFile(join(out, "licenses.txt"), await licenses(Object.keys(metafile.inputs)));

/** The licences of the packages whose code is in the bundle. */
async function licenses(inputs) {
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== null));
  const parts = [...folders].sort().map(async (folder) => {
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const title = `${about.name} ${about.version} (${about.license})`;
    return `${title}\n${"=".repeat(title.length)}\n\n${await licenseText(folder)}`;
  });
  const head = "The console contains code of these packages, under these licences.\n\n";
  return head + (await Promise.all(parts)).join("\n");
}

function packageFolder(input) {
  const found = relative(".", input).match(/^node_modules\/(?:@[^/]+\/)?[^/]+/);
  return found ? found[0] : null;
}

async function licenseText(folder) {
  for (const name of ["LICENSE", "LICENSE.md", "LICENSE.txt"]) {
    const text = await readFile(join(folder, name), "utf8").catch(() => null);
    if (text !== null) return `${text.trim()}\n`;
  }
  return "The text of this licence is in the package's repository.\n";
}
