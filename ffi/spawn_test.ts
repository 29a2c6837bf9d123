/**
 * Starting programs, as root and as an ordinary user.
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { DescriptorMaker } from "./files.ts";
import { HostError } from "./library.ts";
import { Spawner, type SpawnOptions } from "./spawn.ts";
import { Terminals } from "./terminals.ts";

const POLLIN = 1;
const SIGTERM = 15;
const SIGKILL = 9;
const isRoot = Deno.uid() === 0;

/** Runs a shell command to its end; what it wrote and how it ended. */
function shell(script: string, options: Partial<SpawnOptions> = {}) {
  using spawner = new Spawner();
  using maker = new DescriptorMaker();
  const [reader, writer] = maker.pipe();
  const { fds = [], ...rest } = options;
  const child = spawner.spawn({
    path: "/bin/sh",
    args: ["sh", "-c", script],
    env: { PATH: "/usr/bin:/bin" },
    fds: [0, writer, 2, ...fds],
    ...rest,
  });
  maker.close(writer);
  let text = "";
  const chunk = new Uint8Array(4096);
  while (maker.poll(reader, POLLIN, -1) !== 0) {
    const n = maker.read(reader, chunk);
    if (n <= 0) break;
    text += new TextDecoder().decode(chunk.subarray(0, n));
  }
  maker.close(reader);
  const ending = spawner.wait(child.pidfd, -1);
  spawner.close(child.pidfd);
  return { text, ending };
}

const ME = [{ inside: 0, outside: Deno.uid() ?? 0, count: 1 }];
const MY_GROUP = [{ inside: 0, outside: Deno.gid() ?? 0, count: 1 }];

Deno.test("spawn() passes arguments, environment and directory", () => {
  const { text, ending } = shell('echo "$0 $1 $FOO"; pwd; exit 3', {
    args: ["sh", "-c", 'echo "$0 $1 $FOO"; pwd; exit 3', "zero", "one"],
    env: { FOO: "bar" },
    directory: "/usr",
  });
  assertEquals(text, "zero one bar\n/usr\n");
  assertEquals(ending, { exitCode: 3 });
});

Deno.test("spawn() gives the child its descriptors and no others", () => {
  const { text } = shell(
    "ls -l /proc/self/fd | wc -l; readlink /proc/$$/fd/3",
    {
      fds: [0],
    },
  );
  // "total", 0, 1, 2, 3 and the one that ls itself opens.
  const [count] = text.split("\n");
  assertEquals(count, "6");
});

Deno.test("spawn() orders descriptors that stand in each other's way", () => {
  using maker = new DescriptorMaker();
  const [reader, writer] = maker.pipe();
  using spawner = new Spawner();
  // Child 0 is our 2, child 2 our 0, child 1 the pipe.
  const child = spawner.spawn({
    path: "/bin/sh",
    args: ["sh", "-c", "readlink /proc/$$/fd/0 /proc/$$/fd/2 >&1"],
    env: { PATH: "/usr/bin:/bin" },
    fds: [2, writer, 0],
  });
  maker.close(writer);
  assertEquals(spawner.wait(child.pidfd, -1), { exitCode: 0 });
  spawner.close(child.pidfd);
  const chunk = new Uint8Array(4096);
  const text = new TextDecoder().decode(
    chunk.subarray(0, maker.read(reader, chunk)),
  );
  maker.close(reader);
  const own = [2, 0].map((fd) => Deno.readLinkSync(`/proc/self/fd/${fd}`));
  assertEquals(text.trimEnd().split("\n"), own);
});

Deno.test("spawn() reports why the program could not be started", () => {
  using spawner = new Spawner();
  const base = { args: ["x"], env: {}, fds: [0, 1, 2] };
  assertThrows(
    () => spawner.spawn({ ...base, path: "/no/such" }),
    HostError,
    "start /no/such: ENOENT",
  );
  assertThrows(
    () => spawner.spawn({ ...base, path: "/" }),
    HostError,
    "EACCES",
  );
  assertThrows(
    () => spawner.spawn({ ...base, path: "/bin/sh", directory: "/no" }),
    HostError,
    "ENOENT",
  );
  assertThrows(
    () => spawner.spawn({ ...base, path: "/bin/sh", fds: [12345] }),
    HostError,
    "EBADF",
  );
  assertThrows(() => spawner.spawn({ ...base, path: "a\0b" }), TypeError);
});

Deno.test("spawn() resets signals; blocked ones stay blocked", () => {
  // Not by way of a shell: dash clears the mask.
  const { text } = shell("", {
    path: "/bin/grep",
    args: ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"],
    blockedSignals: [SIGTERM, 64],
  });
  const words = text.match(/[0-9a-f]{16}/g);
  assertEquals(words?.[0], "8000000000004000");
  assertEquals(words?.[1], "0000000000000000");
});

Deno.test("spawn() makes process 1 and user 0 of new namespaces", () => {
  const { text, ending } = shell("echo $$ $(id -u) $(id -g); hostname inner", {
    namespaces: ["user", "pid", "mount", "network", "ipc", "uts", "cgroup"],
    uidMap: ME,
    gidMap: MY_GROUP,
    denySetgroups: true,
    newSession: true,
    deathSignal: SIGKILL,
    noNewPrivs: true,
  });
  assertEquals(text, "1 0 0\n");
  assertEquals(ending, { exitCode: 0 });
});

Deno.test("spawn() keeps a protected directory from the child alone", () => {
  const top = Deno.makeTempDirSync();
  try {
    const directory = `${top}/kept`;
    Deno.mkdirSync(directory);
    Deno.writeTextFileSync(`${directory}/file`, "content\n");
    const { text } = shell(
      `exec 2>/dev/null; cat ${directory}/file; touch ${top}/beside && echo also
      (echo worse >${directory}/file) || echo kept
      mkdir ${directory}/more || echo still kept`,
      {
        namespaces: ["user", "mount"],
        uidMap: ME,
        gidMap: MY_GROUP,
        denySetgroups: true,
        protectedDirectory: directory,
      },
    );
    assertEquals(text, "content\nalso\nkept\nstill kept\n");
    Deno.writeTextFileSync(`${directory}/file`, "ours\n");
    assertEquals(Deno.readTextFileSync(`${directory}/file`), "ours\n");
  } finally {
    Deno.removeSync(top, { recursive: true });
  }
});

Deno.test({
  name: "spawn() maps several ranges and sets ids within them",
  ignore: !isRoot,
  fn() {
    const { text } = shell("cat /proc/self/uid_map; id -u; id -g; id -G", {
      namespaces: ["user"],
      uidMap: [
        { inside: 0, outside: 100000, count: 10 },
        { inside: 10, outside: 200000, count: 20 },
      ],
      gidMap: [{ inside: 0, outside: 100000, count: 10 }],
      clearGroups: true,
      uid: 12,
      gid: 3,
    });
    const lines = text.trim().split("\n").map((l) => l.trim());
    assertEquals(lines.map((l) => l.split(/\s+/).join(" ")), [
      "0 100000 10",
      "10 200000 20",
      "12",
      "3",
      "3",
    ]);
  },
});

Deno.test("spawn() refuses a map it may not write and leaves no process", () => {
  using spawner = new Spawner();
  assertThrows(
    () =>
      spawner.spawn({
        path: "/bin/true",
        args: ["true"],
        env: {},
        fds: [],
        namespaces: ["user"],
        uidMap: [{ inside: 0, outside: 0, count: 0 }],
      }),
    HostError,
    "EINVAL",
  );
  const children = Deno.readTextFileSync("/proc/thread-self/children");
  assertEquals(children.trim(), "");
});

Deno.test("spawn() gives the child a controlling terminal", () => {
  using terminals = new Terminals();
  using maker = new DescriptorMaker();
  const [master, slave] = terminals.openPair();
  const { ending } = shell("echo yes > /dev/tty", {
    fds: [slave],
    newSession: true,
    controllingTerminal: 3,
  });
  assertEquals(ending, { exitCode: 0 });
  const chunk = new Uint8Array(16);
  const n = maker.read(master, chunk);
  assertEquals(new TextDecoder().decode(chunk.subarray(0, n)), "yes\r\n");
  maker.close(master);
  maker.close(slave);
});

Deno.test("wait() tells running, exited and killed apart; kill() tells gone", () => {
  using spawner = new Spawner();
  using maker = new DescriptorMaker();
  const [reader, writer] = maker.pipe();
  const child = spawner.spawn({
    path: "/bin/cat",
    args: ["cat"],
    env: {},
    fds: [reader, 1, 2],
  });
  maker.close(reader);
  assertEquals(spawner.wait(child.pidfd, 0), null);
  assert(spawner.kill(child.pidfd, 0));
  assert(spawner.kill(child.pidfd, SIGTERM));
  assertEquals(spawner.wait(child.pidfd, -1), { signal: SIGTERM });
  assertEquals(spawner.kill(child.pidfd, SIGTERM), false);
  spawner.close(child.pidfd);
  maker.close(writer);
});
