// Headless Chromium as a child process: commands come in as JSON lines, answers go out as JSON
// lines. `open` makes a window of a new visitor; every other command is a method of its page.
//
//   → {"id": 1, "window": "ada", "do": "open", "arguments": [{"viewport": {...}}]}
//   → {"id": 2, "window": "ada", "do": "goto", "arguments": ["http://127.0.0.1:8080/"]}
//   ← {"id": 2, "result": null}        or {"id": 2, "error": "..."}

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const PATIENCE = 20_000;
const pages = new Map();
const complaints = new Map();

const browser = await chromium.launch({ executablePath: process.argv[2], args: FLAGS });

async function open(window, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const heard = [];
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("console", (message) => message.type() === "error" && heard.push(message.text()));
  pages.set(window, page);
  complaints.set(window, heard);
}

// waitForFunction would need eval in the page, which the app's Content-Security-Policy forbids.
async function until(page, expression) {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await page.waitForTimeout(50)) {
    if (await page.evaluate(expression)) return;
  }
  throw new Error("it did not become true");
}

async function perform({ window, do: command, arguments: given }) {
  if (command === "open") return open(window, ...given);
  if (command === "complaints") return complaints.get(window);
  if (command === "until") return until(pages.get(window), ...given);
  if (command === "close") return pages.get(window).context().close();
  const result = await pages.get(window)[command](...given);
  // Handles, responses and the like stay here; only what JSON holds is of use over there.
  return ["string", "number", "boolean"].includes(typeof result) || command === "evaluate" ? result : null;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...command } = JSON.parse(line);
  const answer = await perform(command).then(
    (result = null) => ({ id, result }),
    (error) => ({ id, error: error.message }),
  );
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();
