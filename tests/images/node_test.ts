/** Node: event loop, worker threads, child processes, files. */
import { sameAsOnHost } from "./workload.ts";

function node(name: string, program: string): void {
  sameAsOnHost({
    name: `node ${name}`,
    needs: ["node"],
    script: 'echo "$1" > program.mjs; node program.mjs',
    args: [program],
  });
}

node(
  "computes, waits, and reads and writes files",
  `
import { promises as fs, createReadStream, createWriteStream, watch } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip, gunzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
console.log([..."node"].reverse().join(""), (12345678901234567890n * 2n).toString());
await fs.mkdir("a/b", { recursive: true });
await Promise.all([...Array(50).keys()].map((i) => fs.writeFile(\`a/b/\${i}\`, "x".repeat(i))));
const names = await fs.readdir("a/b");
const sizes = await Promise.all(names.map(async (n) => (await fs.stat(\`a/b/\${n}\`)).size));
console.log(names.length, sizes.reduce((x, y) => x + y, 0));
await pipeline(createReadStream("/bin/bash"), createGzip(), createWriteStream("bash.gz"));
const same = gunzipSync(await fs.readFile("bash.gz")).equals(await fs.readFile("/bin/bash"));
console.log(same, createHash("sha256").update("text").digest("hex"));
const seen = new Promise((done) => { const w = watch("a", (kind, name) => { w.close(); done([kind, name]); }); });
await fs.writeFile("a/new", ""); console.log(await seen);
try { await fs.open("missing"); } catch (error) { console.log(error.code, error.syscall); }
await fs.rename("a/b/1", "moved"); await fs.symlink("moved", "link"); console.log(await fs.readFile("link", "utf8"));
await fs.rm("a", { recursive: true }); console.log((await fs.readdir(".")).sort());
await sleep(5); console.log(process.argv.length, process.exitCode);
`,
);

node(
  "starts worker threads that share memory",
  `
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
if (isMainThread) {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const workers = [1, 2, 3, 4].map((id) => new Worker(new URL(import.meta.url), { workerData: { id, shared } }));
  const ends = workers.map((w) => new Promise((done) => w.on("exit", done)));
  const answers = await Promise.all(workers.map((w) => new Promise((done, fail) => {
    w.on("message", done); w.on("error", fail);
  })));
  await Promise.all(ends);
  console.log(answers, shared[0]);
} else {
  const { id, shared } = workerData;
  for (let i = 0; i < 1000; i++) Atomics.add(shared, 0, 1);
  Atomics.add(shared, 1, 1); Atomics.notify(shared, 1);
  for (let n; (n = Atomics.load(shared, 1)) < 4;) Atomics.wait(shared, 1, n, 100);
  parentPort.postMessage(id * id);
}
`,
);

node(
  "runs child processes with pipes, channels and signals",
  `
import { execFile, execSync, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, connect } from "node:net";
if (process.send) {
  process.on("message", (m) => { process.send({ got: m }); process.disconnect(); });
} else {
  console.log(execSync("echo hi").toString());
  const cat = spawn("cat"); cat.stdin.end("x".repeat(200000));
  let length = 0; for await (const chunk of cat.stdout) length += chunk.length; console.log(length);
  const sleeper = spawn("sleep", ["60"]); sleeper.kill("SIGTERM"); console.log(await once(sleeper, "exit"));
  console.log(await new Promise((done) => execFile("sh", ["-c", "exit 4"], (e) => done(e.code))));
  console.log(spawnSync("nosuchprogram").error.code);
  const kid = fork(process.argv[1]); kid.send([1, "two"]); console.log((await once(kid, "message"))[0]);
  await once(kid, "exit");
  const server = createServer((s) => s.pipe(s)).listen("socket"); await once(server, "listening");
  const client = connect("socket"); client.end("echoed"); let text = "";
  for await (const chunk of client) text += chunk; console.log(text); server.close();
  process.once("SIGUSR2", () => console.log("signal")); process.kill(process.pid, "SIGUSR2");
}
`,
);
