/**
 * The file server as a process: it serves from inside its confinement, can do
 * nothing else there, and ends with its client.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import { GoferFiles } from "../../ffi/gofer_files.ts";
import { type Ending, Spawner } from "../../ffi/spawn.ts";
import { must } from "../../gofer/_fixture.ts";
import { RemoteGofer } from "../../gofer/remote_gofer.ts";
import { channelTransport } from "../../gofer/transport.ts";
import { ENOENT, EREMOTEIO, EROFS } from "../../kernel/abi/errno.ts";
import { O_RDONLY, O_RDWR } from "../../kernel/abi/fcntl.ts";
import { SIGKILL, SIGSYS } from "../../kernel/abi/signal.ts";
import type { GoferOrders } from "./gofer_program.ts";

const PROGRAM = fromFileUrl(new URL("gofer_program.ts", import.meta.url));

/** A server process over two directories, "rw" and "ro". */
class GoferProcess implements Disposable {
  readonly dir = Deno.makeTempDirSync({ prefix: "gofer_" });
  readonly channels = new GoferChannels();
  readonly files = new GoferFiles();
  readonly spawner = new Spawner();
  readonly gofer: RemoteGofer;
  readonly pidfd: number;
  readonly #channel: number;
  readonly #reports: number;
  #ending: Ending | null = null;

  constructor(attempt: GoferOrders["attempt"]) {
    Deno.mkdirSync(`${this.dir}/rw`);
    Deno.mkdirSync(`${this.dir}/ro`);
    Deno.writeTextFileSync(`${this.dir}/secret`, "secret");
    const orders: GoferOrders = {
      trees: [
        { name: "rw", source: `${this.dir}/rw`, isReadOnly: false },
        { name: "ro", source: `${this.dir}/ro`, isReadOnly: true },
        { name: "all", source: "/", isReadOnly: true },
        { name: "proc", source: "/proc", isReadOnly: true },
      ],
      attempt,
    };
    const [channel, theirChannel] = this.channels.pair();
    const [reports, theirReports] = this.channels.pair();
    const isRoot = Deno.uid() === 0;
    const map = (outside: number) => [{ inside: 0, outside, count: 1 }];
    const child = this.spawner.spawn({
      path: Deno.execPath(),
      args: [
        "deno",
        "run",
        "-q",
        "-A",
        "--no-prompt",
        PROGRAM,
        JSON.stringify(orders),
      ],
      env: Deno.env.toObject(),
      fds: [0, 1, 2, theirChannel, theirReports],
      namespaces: isRoot
        ? ["mount", "pid", "network", "ipc", "uts"]
        : ["user", "mount", "pid", "network", "ipc", "uts"],
      ...(isRoot ? {} : {
        uidMap: map(Deno.uid() ?? 0),
        gidMap: map(Deno.gid() ?? 0),
        denySetgroups: true as const,
      }),
    });
    this.files.close(theirChannel);
    this.files.close(theirReports);
    this.pidfd = child.pidfd;
    this.#channel = channel;
    this.#reports = reports;
    this.gofer = new RemoteGofer(channelTransport(this.channels, channel, {
      spinUs: 0,
      closeFd: (fd) => this.files.close(fd),
    }));
  }

  /** The next report; null when the process has ended. */
  report(): unknown {
    const bytes = new Uint8Array(4096);
    const length = this.channels.receive(this.#reports, bytes, [], {
      spinUs: 0,
    });
    if (length <= 0) return null;
    return JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)));
  }

  hangUp(): void {
    this.files.close(this.#channel);
  }
  wait(): Ending | null {
    this.#ending ??= this.spawner.wait(this.pidfd, -1);
    return this.#ending;
  }

  [Symbol.dispose](): void {
    if (this.#ending === null) this.spawner.kill(this.pidfd, SIGKILL);
    this.wait();
    this.spawner.close(this.pidfd);
    this.files.close(this.#reports);
    this.files[Symbol.dispose]();
    this.channels[Symbol.dispose]();
    this.spawner[Symbol.dispose]();
    Deno.removeSync(this.dir, { recursive: true });
  }
}

Deno.test("runGofer() serves from inside its confinement", () => {
  using t = new GoferProcess("nothing");
  assertEquals(t.report(), "ready");
  Deno.writeTextFileSync(`${t.dir}/ro/f`, "read me");
  const { gofer } = t;
  const ro = must(gofer.attach("ro"));
  const walk = must(gofer.walk(ro.node, ["f"], { open: O_RDONLY }));
  assertEquals(
    Deno.readTextFileSync(`/proc/self/fd/${walk.opened}`),
    "read me",
  );
  t.files.close(walk.opened);
  const owner = { mode: 0o640, uid: 0, gid: 0 };
  assertEquals(gofer.mkdir(ro.node, "d", owner), -EROFS.code);

  // Everything that serving takes is on the list of allowed calls.
  const rw = must(gofer.attach("rw")).node;
  const made = must(gofer.create(rw, "f", O_RDWR, owner));
  Deno.writeTextFileSync(`/proc/self/fd/${made.opened}`, "written");
  t.files.close(made.opened);
  assertEquals(Deno.readTextFileSync(`${t.dir}/rw/f`), "written");
  const temporary = must(gofer.createTemporary(rw, O_RDWR, owner));
  t.files.close(temporary.opened);
  must(gofer.link(temporary.node, rw, "linked"));
  const d = must(gofer.mkdir(rw, "d", { ...owner, mode: 0o2755 }));
  must(gofer.mknod(d.node, "p", { ...owner, mode: 0o010600 }));
  const l = must(gofer.symlink(rw, "l", "../..", owner));
  assertEquals(gofer.readlink(l.node), "../..");
  must(gofer.setattr(made.node, {
    mode: 0o4755,
    size: 3,
    uid: 0,
    mtime: "now",
    atime: { sec: 5, nsec: 0 },
  }));
  must(gofer.setxattr(made.node, "user.a", new Uint8Array(10), 0));
  assertEquals(must(gofer.getxattr(made.node, "user.a", 100)).length, 10);
  assertEquals(must(gofer.listxattr(made.node)), ["user.a"]);
  must(gofer.removexattr(made.node, "user.a"));
  must(gofer.rename(rw, "f", d.node, "g", 0));
  must(gofer.readdir(rw, null, { attributes: true }));
  must(gofer.statfs(rw));
  must(gofer.fsync(rw, { dataOnly: false }));
  must(gofer.fsync(made.node, { dataOnly: true }));
  must(gofer.unlink(d.node, "g", 0));
  must(gofer.getattr(made.node));
  gofer.forget(made.node, 1);
  gofer.flush();
  // Enough of everything for V8 to compile and collect under the filter.
  for (let i = 0; i < 20_000; i++) {
    const found = must(gofer.walk(rw, ["d"]));
    gofer.forget(found.nodes[0]!.node, 1);
  }
  t.hangUp();
  assertEquals(t.wait(), { exitCode: 0 });
});

Deno.test("the host's /proc is an empty directory, unless it was asked for", () => {
  using t = new GoferProcess("nothing");
  assertEquals(t.report(), "ready");
  const { gofer } = t;
  const all = must(gofer.attach("all")).node;
  for (const name of ["proc", "sys"]) {
    const walk = must(gofer.walk(all, [name, "self"], { open: O_RDONLY }));
    assertEquals([walk.nodes.length, walk.error], [1, -ENOENT.code]);
    const { node } = walk.nodes[0]!;
    const chunk = must(gofer.readdir(node, null, { attributes: true }));
    assertEquals([chunk.entries.length, chunk.cookie], [0, null]);
  }
  const proc = must(gofer.attach("proc")).node;
  assertEquals(must(gofer.walk(proc, ["version"])).nodes.length, 1);
  t.hangUp();
  assertEquals(t.wait(), { exitCode: 0 });
});

Deno.test("a confined file server has no authority in JavaScript", () => {
  using t = new GoferProcess("look");
  assertEquals(t.report(), "ready");
  const seen = t.report() as Record<string, string>;
  for (const what of ["read", "list", "write", "env"]) {
    assertMatch(seen[what] ?? "", /NotCapable|PermissionDenied/, what);
  }
  assertEquals([seen["openPath"], seen["openRoot"]], ["-1", "-1"]);
  t.hangUp();
  assertEquals(t.wait(), { exitCode: 0 });
});

for (
  const attempt of [
    "socket",
    "fork",
    "exec",
    "ptrace",
    "chroot",
    "setuid",
    "memfd",
    "kill",
    "command",
    "dlopen",
  ] as const
) {
  Deno.test(`a confined file server dies of ${attempt}()`, () => {
    using t = new GoferProcess(attempt);
    assertEquals(t.report(), "ready");
    assertEquals(t.report(), null);
    assertEquals(t.wait(), { signal: SIGSYS });
  });
}

Deno.test("a misused connection ends the file server", () => {
  using t = new GoferProcess("nothing");
  assertEquals(t.report(), "ready");
  const root = must(t.gofer.attach("rw")).node;
  const lost: string[] = [];
  t.gofer.onConnectionLost = (reason) => lost.push(reason);
  assertEquals(t.gofer.walk(root, [".."]), -EREMOTEIO.code);
  assertEquals(t.gofer.getattr(root), -EREMOTEIO.code);
  assertEquals(lost.length, 1);
  assert(t.wait() !== null);
});
