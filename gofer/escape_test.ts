/**
 * Attempts to get out of a mount: by name, by symlink, by racing the server
 * with renames on the host.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ENOTDIR, ESTALE } from "../kernel/abi/errno.ts";
import { O_RDONLY } from "../kernel/abi/fcntl.ts";
import { S_IFDIR, S_IFLNK, S_IFMT } from "../kernel/abi/stat.ts";
import { GoferFixture, must } from "./_fixture.ts";

const OWNER = { mode: 0o700, uid: 0, gid: 0 };

for (const name of ["..", ".", "", "a/b", "/", "a\0b", "n".repeat(256)]) {
  Deno.test(`walk() ends the connection for the name ${name.slice(0, 9)}`, () => {
    using t = new GoferFixture();
    const root = t.attach().node;
    assert(t.gofer.walk(root, [name]) as number < 0);
    assertEquals(t.lost.length, 1);
    assert(t.gofer.getattr(root) as number < 0);
  });
}

Deno.test("walk() shows symlinks and follows none", () => {
  using t = new GoferFixture();
  Deno.symlinkSync("..", `${t.dir}/up`);
  Deno.symlinkSync(t.outside, `${t.dir}/out`);
  Deno.symlinkSync("/proc/self/root", `${t.dir}/magic`);
  const root = t.attach().node;
  for (const link of ["up", "out", "magic"]) {
    const walk = must(t.gofer.walk(root, [link, "secret"], { open: O_RDONLY }));
    assertEquals(walk.nodes.length, 1);
    assertEquals(walk.nodes[0]!.stat.mode & S_IFMT, S_IFLNK);
    assert(walk.opened < 0);
    assertEquals(
      t.gofer.walk(walk.nodes[0]!.node, ["secret"]),
      -ENOTDIR.code,
    );
  }
});

Deno.test("a directory that became a symlink is not walked through", () => {
  using t = new GoferFixture({ maxFds: 16 });
  Deno.mkdirSync(`${t.dir}/d`);
  const root = t.attach().node;
  const d = t.find(root, "d").node;
  // Make the server forget its descriptor, so that it must find it again.
  for (let i = 0; i < 30; i++) {
    Deno.writeTextFileSync(`${t.dir}/${i}`, "");
    t.find(root, `${i}`);
  }
  Deno.removeSync(`${t.dir}/d`);
  Deno.symlinkSync(t.outside, `${t.dir}/d`);
  const walk = must(t.gofer.walk(d, ["secret"]));
  assertEquals([walk.nodes.length, walk.error], [0, -ESTALE.code]);
  assert(t.gofer.mkdir(d, "made", OWNER) as number < 0);
  assertEquals([...Deno.readDirSync(t.outside)].length, 2);
});

Deno.test("a directory that was replaced is not taken for the old one", () => {
  using t = new GoferFixture({ maxFds: 16 });
  Deno.mkdirSync(`${t.dir}/d`);
  const root = t.attach().node;
  const d = t.find(root, "d").node;
  for (let i = 0; i < 30; i++) {
    Deno.writeTextFileSync(`${t.dir}/${i}`, "");
    t.find(root, `${i}`);
  }
  Deno.renameSync(`${t.dir}/d`, `${t.outside}/elsewhere`);
  Deno.mkdirSync(`${t.dir}/d`);
  assertEquals(t.gofer.getattr(d), -ESTALE.code);
});

Deno.test("directories that the host moved into each other do not hang", () => {
  using t = new GoferFixture({ maxFds: 16 });
  Deno.mkdirSync(`${t.dir}/a/b`, { recursive: true });
  const root = t.attach().node;
  const a = t.find(root, "a");
  const b = t.find(root, "a/b");
  Deno.renameSync(`${t.dir}/a/b`, `${t.dir}/b`);
  Deno.renameSync(`${t.dir}/a`, `${t.dir}/b/a`);
  // The server knows b below a; now it finds a below b.
  const found = must(t.gofer.walk(b.node, ["a"]));
  assertEquals(found.nodes[0]!.node, a.node);
  for (let i = 0; i < 30; i++) {
    Deno.writeTextFileSync(`${t.dir}/${i}`, "");
    t.find(root, `${i}`);
  }
  t.gofer.getattr(a.node);
  t.gofer.getattr(b.node);
  const again = t.find(root, "b/a");
  assertEquals(again.node, a.node);
  assertEquals(must(t.gofer.getattr(a.node)).ino, again.stat.ino);
  assertEquals(t.lost, []);
});

Deno.test("a race with renames on the host never leads outside", async () => {
  using t = new GoferFixture({ maxFds: 16 });
  // "swap" is now a directory of the mount, now a symlink to the outside.
  Deno.mkdirSync(`${t.dir}/swap`);
  Deno.mkdirSync(`${t.dir}/swap/sub`);
  Deno.writeTextFileSync(`${t.dir}/swap/secret`, "harmless");
  Deno.symlinkSync("..", `${t.dir}/link`);
  // The host's part is played by another process, all the time.
  const script =
    "import os,sys\nd=sys.argv[1]\nos.chdir(d)\nprint(flush=True)\n" +
    "while True:\n" +
    ' os.rename("swap","kept"); os.rename("link","swap")\n' +
    ' os.rename("swap","link"); os.rename("kept","swap")\n';
  const other = new Deno.Command("python3", {
    args: ["-c", script, t.dir],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const root = t.attach().node;
    let found = 0;
    for (let i = 0; i < 3000; i++) {
      const walk = must(
        t.gofer.walk(root, ["swap", "secret"], { open: O_RDONLY }),
      );
      if (walk.opened >= 0) {
        assertEquals(t.readFd(walk.opened), "harmless");
        found++;
      }
      for (const { node, stat } of walk.nodes) {
        const type = stat.mode & S_IFMT;
        if (type === S_IFDIR) {
          t.gofer.create(node, `made${i}`, O_RDONLY, OWNER);
          t.gofer.unlink(node, `made${i}`, 0);
        }
        t.gofer.forget(node, 1);
      }
    }
    assertEquals(t.lost, []);
    assert(found > 0);
    assertEquals(
      [...Deno.readDirSync(t.outside)].map((e) => e.name).sort(),
      ["root", "secret"],
    );
  } finally {
    other.kill("SIGKILL");
    await other.status;
  }
});
