import { assertEquals } from "@std/assert";
import { EBUSY, EINVAL, ELOOP, ENOENT, ENOTDIR } from "../abi/errno.ts";
import { O_RDONLY } from "../abi/fcntl.ts";
import { MNT_DETACH, MS_RDONLY, MS_RELATIME } from "../abi/mount.ts";
import { done, FakeVfs } from "../fs/fake_vfs.ts";
import type { Mount, VfsPath } from "./mount.ts";
import { FOLLOW } from "./vfs_core.ts";

function place(fake: FakeVfs, path: string): VfsPath {
  return done(fake.vfs.resolve(fake.caller, fake.at, path, FOLLOW));
}

/** Mounts a fresh tmpfs. */
function mount(fake: FakeVfs, path: string, flags = 0): Mount {
  const at = place(fake, path);
  const made = fake.vfs.mount(fake.newTmpfs(), at, { flags, source: "none" });
  at.release();
  return done(made);
}

function umount(fake: FakeVfs, path: string, flags = 0) {
  const found = done(fake.vfs.lookup(fake.caller, fake.at, path, FOLLOW));
  return fake.vfs.umount(found.mount.placeOf(found.dentry), flags);
}

Deno.test("mount() covers a directory and umount() shows it again", () => {
  const fake = new FakeVfs();
  fake.mkdir("m");
  fake.write("m/below", "");
  mount(fake, "m");
  assertEquals(fake.list("m"), [".", ".."]);
  fake.write("m/above", "");
  mount(fake, "m");
  assertEquals(fake.list("m"), [".", ".."]);
  assertEquals(umount(fake, "m"), null);
  assertEquals(fake.list("m"), [".", "..", "above"]);
  assertEquals(umount(fake, "m"), null);
  assertEquals(fake.list("m"), [".", "..", "below"]);
  assertEquals(umount(fake, "m"), EINVAL);
});

Deno.test("umount() refuses while something is in use", () => {
  const fake = new FakeVfs();
  fake.mkdir("m");
  mount(fake, "m");
  fake.write("m/f", "data");
  const open = done(fake.open("m/f", O_RDONLY));
  assertEquals(umount(fake, "m"), EBUSY);
  assertEquals(umount(fake, "m", MNT_DETACH), null);
  assertEquals(fake.read("m/f"), ENOENT);
  // It lives on for those who have it.
  assertEquals(done(open.read(fake.caller.room(9), fake.caller)), 4);
  assertEquals(fake.vfs.pathTo(fake.at, open.path), "/f");
  open.release();
  assertEquals(umount(fake, "/"), EBUSY);
});

Deno.test("umount() gives the pages of a tmpfs back", () => {
  const fake = new FakeVfs();
  fake.mkdir("m");
  const before = fake.memoryFile.allocatedBytes;
  mount(fake, "m");
  fake.mkdir("m/d");
  fake.write("m/d/f", "data");
  assertEquals(fake.memoryFile.allocatedBytes > before, true);
  assertEquals(umount(fake, "m"), null);
  assertEquals(fake.memoryFile.allocatedBytes, before);
});

Deno.test("mount() wants a directory for a directory", () => {
  const fake = new FakeVfs();
  fake.write("f", "");
  const at = place(fake, "f");
  const options = { flags: 0, source: "none" };
  assertEquals(fake.vfs.mount(fake.newTmpfs(), at, options), ENOTDIR);
  at.release();
});

Deno.test("bind() shows a subtree, with its mounts only if recursive", () => {
  const fake = new FakeVfs();
  for (const path of ["a", "a/sub", "flat", "deep"]) fake.mkdir(path);
  mount(fake, "a/sub");
  fake.write("a/sub/f", "x");
  const from = place(fake, "a");
  const flat = place(fake, "flat");
  const deep = place(fake, "deep");
  done(fake.vfs.bind(from, flat, { isRecursive: false }));
  done(fake.vfs.bind(from, deep, { isRecursive: true }));
  assertEquals(fake.read("flat/sub/f"), ENOENT);
  assertEquals(fake.read("deep/sub/f"), "x");
  for (const each of [from, flat, deep]) each.release();
});

Deno.test("remount() changes one mount of a file system", () => {
  const fake = new FakeVfs();
  fake.mkdir("m");
  const made = mount(fake, "m");
  const at = place(fake, "m");
  assertEquals(fake.vfs.remount(at, MS_RDONLY), null);
  assertEquals(made.flags, MS_RDONLY | MS_RELATIME);
  at.release();
});

Deno.test("moveMount() takes what is below along, but not into itself", () => {
  const fake = new FakeVfs();
  for (const path of ["a", "b"]) fake.mkdir(path);
  mount(fake, "a");
  fake.mkdir("a/sub");
  mount(fake, "a/sub");
  fake.write("a/sub/f", "x");
  const from = place(fake, "a");
  const inside = place(fake, "a/sub");
  const to = place(fake, "b");
  assertEquals(fake.vfs.moveMount(from, inside), ELOOP);
  assertEquals(fake.vfs.moveMount(from, to), null);
  assertEquals(fake.read("b/sub/f"), "x");
  assertEquals(fake.list("a"), [".", ".."]);
  for (const each of [from, inside, to]) each.release();
});

Deno.test("pivotRoot() exchanges the root and puts the old one below", () => {
  const fake = new FakeVfs();
  fake.mkdir("new");
  fake.write("old", "x");
  mount(fake, "new");
  fake.mkdir("new/put");
  const root = fake.at.acquire();
  const next = place(fake, "new");
  const put = place(fake, "new/put");
  assertEquals(fake.vfs.pivotRoot(root, root, put), EINVAL);
  assertEquals(fake.vfs.pivotRoot(root, next, put), null);
  fake.caller.fsContext.setRoot(next);
  fake.caller.fsContext.setCwd(next);
  assertEquals(fake.read("/put/old"), "x");
  assertEquals(fake.list("/.."), [".", "..", "put"]);
  for (const each of [root, next, put]) each.release();
});

Deno.test("copyNamespace() copies a tree that then changes by itself", () => {
  const fake = new FakeVfs();
  fake.mkdir("m");
  mount(fake, "m");
  fake.write("m/f", "x");
  const pairs: [Mount, Mount][] = [];
  const copy = fake.vfs.copyNamespace(
    fake.rootMount,
    (from, to) => pairs.push([from, to]),
  );
  assertEquals(pairs.length, 2);
  assertEquals(umount(fake, "m"), null);
  const root = copy.placeOf(copy.root);
  fake.caller.fsContext.setRoot(root);
  assertEquals(fake.read("/m/f"), "x");
  const rows = [...fake.vfs.mountRows(root)].map((row) => row.mountpoint);
  assertEquals(rows, ["/", "/m"]);
});
