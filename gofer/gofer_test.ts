/**
 * Every request against a real directory, by the way of client, wire, handler
 * and host.
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  EACCES,
  EEXIST,
  EINVAL,
  EISDIR,
  ELOOP,
  EMFILE,
  ENODATA,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  ERANGE,
  EROFS,
} from "../kernel/abi/errno.ts";
import {
  AT_REMOVEDIR,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
} from "../kernel/abi/fcntl.ts";
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from "../kernel/abi/stat.ts";
import { XATTR_CREATE, XATTR_REPLACE } from "../kernel/abi/xattr.ts";
import { GoferFixture, must, openFdCount } from "./_fixture.ts";
import type { GoferDirChunk, GoferDirCookie } from "./client.ts";

const OWNER = { mode: 0o640, uid: 0, gid: 0 };
const isRoot = Deno.uid() === 0;

Deno.test("attach() gives the root's attributes and knows no other mount", () => {
  using t = new GoferFixture();
  const root = t.attach();
  assertEquals(root.stat.mode & S_IFMT, S_IFDIR);
  assertEquals(root.stat.ino, Deno.statSync(t.dir).ino);
  assertEquals(root.isReadOnly, false);
  assertEquals(t.gofer.attach("other"), -ENOENT.code);
  assertEquals(t.attach().node, root.node);
});

Deno.test("walk() resolves several names in one message", () => {
  using t = new GoferFixture();
  Deno.mkdirSync(`${t.dir}/a/b`, { recursive: true });
  Deno.writeTextFileSync(`${t.dir}/a/b/c`, "hello");
  const root = t.attach().node;
  const walk = must(t.gofer.walk(root, ["a", "b", "c"], { open: O_RDONLY }));
  assertEquals(walk.nodes.length, 3);
  assertEquals(walk.error, 0);
  assertEquals(walk.nodes[2]!.stat.size, 5);
  assert(walk.opened >= 0);
  assertEquals(t.readFd(walk.opened), "hello");
});

Deno.test("walk() stops at a missing name, a symlink and a file", () => {
  using t = new GoferFixture();
  Deno.mkdirSync(`${t.dir}/a`);
  Deno.writeTextFileSync(`${t.dir}/a/f`, "");
  Deno.symlinkSync("/etc", `${t.dir}/a/l`);
  const root = t.attach().node;

  const missing = must(t.gofer.walk(root, ["a", "x", "y"]));
  assertEquals(missing.nodes.length, 1);
  assertEquals(missing.error, -ENOENT.code);

  const link = must(t.gofer.walk(root, ["a", "l", "passwd"]));
  assertEquals(link.nodes.length, 2);
  assertEquals(link.error, 0);
  assertEquals(link.nodes[1]!.stat.mode & S_IFMT, S_IFLNK);
  assertEquals(link.target, "/etc");

  const file = must(t.gofer.walk(root, ["a", "f", "y"]));
  assertEquals(file.nodes.length, 2);
  assertEquals(file.error, 0);
  assertEquals(t.gofer.walk(file.nodes[1]!.node, ["y"]), -ENOTDIR.code);
});

Deno.test("walk() gives hard links one node, with a reference each time", () => {
  using t = new GoferFixture();
  Deno.writeTextFileSync(`${t.dir}/one`, "");
  Deno.linkSync(`${t.dir}/one`, `${t.dir}/two`);
  const root = t.attach().node;
  const one = t.find(root, "one");
  const two = t.find(root, "two");
  assertEquals(one.node, two.node);
  assertEquals(one.stat.nlink, 2);
  t.gofer.forget(one.node, 2);
  t.gofer.flush();
  assertEquals(t.lost, []);
  assertEquals(t.connection.session.nodes.size, 1);
});

Deno.test("names that are not UTF-8 travel unchanged", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  const name = "\xff\xfe\x80 \x01";
  must(t.gofer.mkdir(root, name, { ...OWNER, mode: 0o700 }));
  const chunk = must(t.gofer.readdir(root, null, { attributes: false }));
  assertEquals(chunk.entries.map((e) => e.name), [name]);
  t.find(root, name);
  const long = "n".repeat(255);
  must(t.gofer.mkdir(root, long, { ...OWNER, mode: 0o700 }));
  t.find(root, long);
});

Deno.test("create() gives owner, exact mode, node and descriptor", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  const owner = isRoot ? { mode: 0o4711, uid: 1234, gid: 4321 } : OWNER;
  const made = must(t.gofer.create(root, "f", O_RDWR, owner));
  assertEquals(made.stat.mode, S_IFREG | owner.mode);
  const onHost = Deno.statSync(`${t.dir}/f`);
  assertEquals(onHost.mode! & 0o7777, owner.mode);
  if (isRoot) assertEquals([onHost.uid, onHost.gid], [1234, 4321]);
  Deno.writeTextFileSync(`/proc/self/fd/${made.opened}`, "written");
  assertEquals(Deno.readTextFileSync(`${t.dir}/f`), "written");
  t.files.close(made.opened);
  assertEquals(t.find(root, "f").node, made.node);
  assertEquals(t.gofer.create(root, "f", O_RDWR, OWNER), -EEXIST.code);
});

Deno.test("createTemporary() makes a nameless file that link() names", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  const made = must(t.gofer.createTemporary(root, O_RDWR, OWNER));
  assertEquals(made.stat.nlink, 0);
  Deno.writeTextFileSync(`/proc/self/fd/${made.opened}`, "data");
  t.files.close(made.opened);
  assertEquals([...Deno.readDirSync(t.dir)].length, 0);
  const stat = must(t.gofer.link(made.node, root, "named"));
  assertEquals(stat.nlink, 1);
  assertEquals(Deno.readTextFileSync(`${t.dir}/named`), "data");
});

Deno.test("open() follows the access mode and O_TRUNC", () => {
  using t = new GoferFixture();
  Deno.writeTextFileSync(`${t.dir}/f`, "old");
  const root = t.attach().node;
  const { node } = t.find(root, "f");
  assertEquals(t.readFd(must(t.gofer.open(node, O_RDONLY))), "old");
  t.files.close(must(t.gofer.open(node, O_WRONLY | O_TRUNC)));
  assertEquals(Deno.readTextFileSync(`${t.dir}/f`), "");
});

Deno.test("open() refuses everything but regular files", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  assertEquals(t.gofer.open(root, O_RDONLY), -EISDIR.code);
  Deno.symlinkSync("f", `${t.dir}/l`);
  assertEquals(
    t.gofer.open(t.find(root, "l").node, O_RDONLY),
    -ELOOP.code,
  );
  const fifo = must(
    t.gofer.mknod(root, "p", { ...OWNER, mode: S_IFIFO | 0o600 }),
  );
  assertEquals(t.gofer.open(fifo.node, O_RDWR), -ENXIO.code);
  if (!isRoot) return;
  new Deno.Command("mknod", { args: [`${t.dir}/null`, "c", "1", "3"] })
    .outputSync();
  const device = t.find(root, "null");
  assertEquals(device.stat.rdev, 0x103);
  assertEquals(t.gofer.open(device.node, O_RDWR), -EACCES.code);
});

Deno.test("mknod() refuses devices", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  for (const type of [S_IFCHR, S_IFBLK, 0, S_IFDIR]) {
    assertEquals(
      t.gofer.mknod(root, "d", { ...OWNER, mode: type | 0o666 }),
      -EPERM.code,
    );
  }
});

Deno.test("setattr() changes only what it names", () => {
  using t = new GoferFixture();
  Deno.writeTextFileSync(`${t.dir}/f`, "0123456789");
  const root = t.attach().node;
  const { node, stat } = t.find(root, "f");
  const shorter = must(t.gofer.setattr(node, { size: 4 }));
  assertEquals(shorter.size, 4);
  assertEquals(shorter.mode, stat.mode);
  const other = must(t.gofer.setattr(node, {
    mode: 0o1751,
    atime: { sec: 1, nsec: 2 },
    mtime: { sec: -3, nsec: 4 },
  }));
  assertEquals(other.mode, S_IFREG | 0o1751);
  assertEquals([other.atimeSec, other.atimeNsec], [1, 2]);
  assertEquals([other.mtimeSec, other.mtimeNsec], [-3, 4]);
  assertEquals(other.size, 4);
  const now = must(t.gofer.setattr(node, { mtime: "now" }));
  assert(now.mtimeSec > 1_000_000_000);
  assertEquals([now.atimeSec, now.atimeNsec], [1, 2]);
  if (!isRoot) return;
  // chown(2) clears set-id bits; a mode in the same message comes after.
  const owned = must(t.gofer.setattr(node, { uid: 77, mode: 0o4755 }));
  assertEquals([owned.uid, owned.gid, owned.mode & 0o7777], [77, 0, 0o4755]);
});

Deno.test("setattr() of sizes is for regular files", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  assertEquals(t.gofer.setattr(root, { size: 0 }), -EISDIR.code);
  const fifo = must(
    t.gofer.mknod(root, "p", { ...OWNER, mode: S_IFIFO | 0o600 }),
  );
  assertEquals(t.gofer.setattr(fifo.node, { size: 0 }), -EINVAL.code);
});

Deno.test("setattr() of a symlink changes the link, not its target", () => {
  using t = new GoferFixture();
  Deno.writeTextFileSync(`${t.dir}/f`, "");
  Deno.symlinkSync("f", `${t.dir}/l`);
  const root = t.attach().node;
  const { node } = t.find(root, "l");
  const before = Deno.statSync(`${t.dir}/f`);
  const stat = must(t.gofer.setattr(node, {
    ...(isRoot ? { uid: 5, gid: 6 } : {}),
    mtime: { sec: 10, nsec: 0 },
  }));
  assertEquals(stat.mtimeSec, 10);
  if (isRoot) assertEquals([stat.uid, stat.gid], [5, 6]);
  const after = Deno.statSync(`${t.dir}/f`);
  assertEquals([after.uid, after.mtime], [before.uid, before.mtime]);
  assertEquals(t.gofer.setattr(node, { mode: 0o700 }), -EPERM.code);
});

Deno.test("symlink() and readlink() keep the target's bytes", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  const target = "../\xe9/" + "t".repeat(4000);
  const made = must(t.gofer.symlink(root, "l", target, { uid: 0, gid: 0 }));
  assertEquals(made.stat.mode & S_IFMT, S_IFLNK);
  assertEquals(t.gofer.readlink(made.node), target);
  assertEquals(t.gofer.readlink(root), -EINVAL.code);
});

Deno.test("link() names a node again, also a symlink", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  const l = must(t.gofer.symlink(root, "l", "x", { uid: 0, gid: 0 }));
  assertEquals(must(t.gofer.link(l.node, root, "m")).nlink, 2);
  assertEquals(Deno.readLinkSync(`${t.dir}/m`), "x");
  assertEquals(t.gofer.link(l.node, root, "m"), -EEXIST.code);
});

Deno.test("unlink() leaves the node alive while it is referenced", () => {
  using t = new GoferFixture({ maxFds: 16 });
  const root = t.attach().node;
  Deno.writeTextFileSync(`${t.dir}/f`, "still here");
  const { node } = t.find(root, "f");
  assertEquals(t.gofer.unlink(root, "f", AT_REMOVEDIR), -ENOTDIR.code);
  assertEquals(t.gofer.unlink(root, "f", 0), 0);
  assertEquals(t.gofer.unlink(root, "f", 0), -ENOENT.code);
  // Use enough other files that an evictable descriptor would be gone.
  for (let i = 0; i < 40; i++) {
    Deno.writeTextFileSync(`${t.dir}/${i}`, "");
    t.find(root, `${i}`);
  }
  assertEquals(must(t.gofer.getattr(node)).nlink, 0);
  assertEquals(t.readFd(must(t.gofer.open(node, O_RDONLY))), "still here");
});

Deno.test("unlink() removes directories with AT_REMOVEDIR only", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  const dir = must(t.gofer.mkdir(root, "d", { ...OWNER, mode: 0o755 }));
  must(t.gofer.mkdir(dir.node, "e", { ...OWNER, mode: 0o755 }));
  assertEquals(t.gofer.unlink(root, "d", 0), -EISDIR.code);
  assertEquals(t.gofer.unlink(root, "d", AT_REMOVEDIR), -ENOTEMPTY.code);
  assertEquals(t.gofer.unlink(dir.node, "e", AT_REMOVEDIR), 0);
  assertEquals(t.gofer.unlink(root, "d", AT_REMOVEDIR), 0);
});

Deno.test("rename() keeps node ids, replaced files stay readable", () => {
  using t = new GoferFixture({ maxFds: 16 });
  Deno.mkdirSync(`${t.dir}/d`);
  Deno.writeTextFileSync(`${t.dir}/a`, "A");
  Deno.writeTextFileSync(`${t.dir}/d/b`, "B");
  const root = t.attach().node;
  const a = t.find(root, "a");
  const d = t.find(root, "d");
  const b = t.find(root, "d/b");
  assertEquals(
    t.gofer.rename(root, "a", d.node, "b", RENAME_NOREPLACE),
    -EEXIST.code,
  );
  assertEquals(t.gofer.rename(root, "a", d.node, "b", 0), 0);
  for (let i = 0; i < 40; i++) {
    Deno.writeTextFileSync(`${t.dir}/${i}`, "");
    t.find(root, `${i}`);
  }
  assertEquals(t.readFd(must(t.gofer.open(a.node, O_RDONLY))), "A");
  assertEquals(t.readFd(must(t.gofer.open(b.node, O_RDONLY))), "B");
  assertEquals(t.find(root, "d/b").node, a.node);
});

Deno.test("rename() exchanges", () => {
  using t = new GoferFixture({ maxFds: 16 });
  Deno.mkdirSync(`${t.dir}/d`);
  Deno.writeTextFileSync(`${t.dir}/d/x`, "X");
  Deno.writeTextFileSync(`${t.dir}/a`, "A");
  const root = t.attach().node;
  const a = t.find(root, "a");
  const x = t.find(root, "d/x");
  assertEquals(t.gofer.rename(root, "a", root, "d", RENAME_EXCHANGE), 0);
  for (let i = 0; i < 40; i++) {
    Deno.writeTextFileSync(`${t.dir}/a/${i}`, "");
    t.find(root, `a/${i}`);
  }
  assertEquals(t.readFd(must(t.gofer.open(a.node, O_RDONLY))), "A");
  assertEquals(t.readFd(must(t.gofer.open(x.node, O_RDONLY))), "X");
  assertEquals(t.find(root, "d").node, a.node);
});

Deno.test("readdir() lists everything once over many chunks", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  const expected: string[] = [];
  for (let i = 0; i < 1500; i++) {
    const name = `${i}`.padEnd(200, "n");
    expected.push(name);
    Deno.writeTextFileSync(`${t.dir}/${name}`, "");
  }
  for (const attributes of [false, true]) {
    const seen: string[] = [];
    let cookie: GoferDirCookie | null = null;
    let chunks = 0;
    do {
      const chunk: GoferDirChunk = must(
        t.gofer.readdir(root, cookie, { attributes }),
      );
      for (const entry of chunk.entries) {
        seen.push(entry.name);
        assertEquals(entry.node !== null, attributes);
        if (entry.node) {
          assertEquals(entry.node.stat.ino, entry.ino);
          t.gofer.forget(entry.node.node, 1);
        }
      }
      cookie = chunk.cookie;
      chunks++;
    } while (cookie !== null);
    assert(chunks > 2);
    assertEquals(seen.sort(), expected.sort());
  }
  t.gofer.flush();
  assertEquals(t.connection.session.nodes.size, 1);
  const file = t.find(root, expected[0]!);
  assertEquals(
    t.gofer.readdir(file.node, null, { attributes: false }),
    -ENOTDIR.code,
  );
});

Deno.test("a node from readdir() opens without a walk", () => {
  using t = new GoferFixture();
  Deno.writeTextFileSync(`${t.dir}/f`, "F");
  const root = t.attach().node;
  const chunk = must(t.gofer.readdir(root, null, { attributes: true }));
  const { node } = chunk.entries[0]!.node!;
  assertEquals(t.readFd(must(t.gofer.open(node, O_RDONLY))), "F");
});

Deno.test("statfs() and fsync() answer for directories and files", () => {
  using t = new GoferFixture();
  Deno.writeTextFileSync(`${t.dir}/f`, "F");
  const root = t.attach().node;
  const status = must(t.gofer.statfs(root));
  assert(status.bsize >= 512 && status.blocks > 0 && status.namelen >= 255);
  assertEquals(t.gofer.fsync(root, { dataOnly: false }), 0);
  assertEquals(t.gofer.fsync(t.find(root, "f").node, { dataOnly: true }), 0);
});

Deno.test("user xattrs are set, read, listed and removed", () => {
  using t = new GoferFixture();
  Deno.writeTextFileSync(`${t.dir}/f`, "");
  const root = t.attach().node;
  const { node } = t.find(root, "f");
  const value = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff);
  const set = t.gofer.setxattr(node, "user.a", value, XATTR_CREATE);
  if (set === -EOPNOTSUPP.code) return; // the host's file system has none
  assertEquals(set, 0);
  assertEquals(
    t.gofer.setxattr(node, "user.a", value, XATTR_CREATE),
    -EEXIST.code,
  );
  assertEquals(
    t.gofer.setxattr(node, "user.b", value, XATTR_REPLACE),
    -ENODATA.code,
  );
  assertEquals(t.gofer.setxattr(node, "user.e", new Uint8Array(), 0), 0);
  assertEquals(t.gofer.getxattr(node, "user.a", 65536), value);
  assertEquals(t.gofer.getxattr(node, "user.e", 0), new Uint8Array());
  assertEquals(t.gofer.getxattr(node, "user.a", 10), -ERANGE.code);
  assertEquals(must(t.gofer.listxattr(node)).toSorted(), ["user.a", "user.e"]);
  assertEquals(t.gofer.removexattr(node, "user.a"), 0);
  assertEquals(t.gofer.getxattr(node, "user.a", 65536), -ENODATA.code);
  assertEquals(t.gofer.listxattr(root), []);
});

Deno.test("xattrs that the host acts upon are out of reach", () => {
  using t = new GoferFixture();
  const root = t.attach().node;
  const value = new Uint8Array(4);
  for (
    const name of ["security.capability", "trusted.x", "system.x", "user.", "x"]
  ) {
    assertEquals(t.gofer.setxattr(root, name, value, 0), -EOPNOTSUPP.code);
    assertEquals(t.gofer.removexattr(root, name), -EOPNOTSUPP.code);
  }
  assertEquals(t.gofer.getxattr(root, "trusted.x", 10), -EOPNOTSUPP.code);
});

Deno.test("a read-only mount refuses every change", () => {
  using t = new GoferFixture({ isReadOnly: true });
  Deno.writeTextFileSync(`${t.dir}/f`, "F");
  const { node: root, isReadOnly } = t.attach();
  assertEquals(isReadOnly, true);
  const { node } = t.find(root, "f");
  const { gofer } = t;
  assertEquals(t.readFd(must(gofer.open(node, O_RDONLY))), "F");
  const refusals = [
    gofer.open(node, O_WRONLY),
    gofer.open(node, O_RDWR),
    gofer.open(node, O_RDONLY | O_TRUNC),
    must(gofer.walk(root, ["f"], { open: O_RDWR })).opened,
    gofer.create(root, "x", O_RDWR, OWNER),
    gofer.createTemporary(root, O_RDWR, OWNER),
    gofer.mkdir(root, "x", OWNER),
    gofer.mknod(root, "x", { ...OWNER, mode: S_IFREG | 0o600 }),
    gofer.symlink(root, "x", "y", OWNER),
    gofer.link(node, root, "x"),
    gofer.unlink(root, "f", 0),
    gofer.rename(root, "f", root, "g", 0),
    gofer.setattr(node, { mode: 0o600 }),
    gofer.setattr(node, { size: 0 }),
    gofer.setattr(node, { mtime: "now" }),
    gofer.setxattr(node, "user.a", new Uint8Array(1), 0),
    gofer.removexattr(node, "user.a"),
  ];
  assertEquals(refusals, refusals.map(() => -EROFS.code));
  assertEquals([...Deno.readDirSync(t.dir)].length, 1);
});

Deno.test("descriptors stay within the limit, and none is left at the end", () => {
  const before = openFdCount();
  {
    using t = new GoferFixture({ maxFds: 20 });
    const base = openFdCount();
    let path = t.dir;
    for (let i = 0; i < 30; i++) {
      path += `/${i}`;
      Deno.mkdirSync(path);
    }
    Deno.writeTextFileSync(`${path}/f`, "deep");
    const root = t.attach().node;
    let at = root;
    const ids = [];
    for (let i = 0; i < 30; i++) {
      at = t.find(at, `${i}`).node;
      ids.push(at);
    }
    const deep = t.find(at, "f");
    for (let i = 0; i < 60; i++) {
      Deno.writeTextFileSync(`${t.dir}/f${i}`, "");
      ids.push(t.find(root, `f${i}`).node);
    }
    assert(openFdCount() - base <= 22, `${openFdCount() - base}`);
    // Its whole path has to be opened again.
    assertEquals(t.readFd(must(t.gofer.open(deep.node, O_RDONLY))), "deep");
    for (const id of ids) t.gofer.forget(id, 1);
    t.gofer.forget(deep.node, 1);
    t.gofer.flush();
    assertEquals(t.connection.session.nodes.size, 1);
    assertEquals(t.lost, []);
    assertNotEquals(t.attach().node, 0);
  }
  assertEquals(openFdCount(), before);
});

Deno.test("a descriptor that the client can't have is EMFILE, no more", () => {
  using t = new GoferFixture();
  Deno.writeTextFileSync(`${t.dir}/f`, "F");
  const root = t.attach().node;
  const { node } = t.find(root, "f");
  const call = t.transport.call;
  t.transport.call = (request, length, reply, fds) => {
    const got = call(request, length, reply, fds);
    // As the kernel does when the table of descriptors is full.
    for (const fd of fds.splice(0)) t.files.close(fd);
    return got;
  };
  assertEquals(t.gofer.open(node, O_RDONLY), -EMFILE.code);
  const walk = must(t.gofer.walk(root, ["f"], { open: O_RDONLY }));
  assertEquals([walk.nodes.length, walk.opened], [1, -EMFILE.code]);
  assertEquals(t.gofer.create(root, "g", O_RDWR, OWNER), -EMFILE.code);
  t.transport.call = call;
  t.gofer.forget(node, 2);
  t.gofer.flush();
  assertEquals(t.connection.session.nodes.size, 1);
  assertEquals(t.readFd(must(t.gofer.open(t.find(root, "f").node, 0))), "F");
  assertEquals(t.lost, []);
});
