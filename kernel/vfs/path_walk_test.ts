import { assertEquals } from "@std/assert";
import {
  EACCES,
  EAGAIN,
  ELOOP,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  type Errno,
  EXDEV,
  isErrno,
} from "../abi/errno.ts";
import {
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../abi/fcntl.ts";
import { done, FakeVfs } from "../fs/fake_vfs.ts";
import type { ResolveOptions } from "./vfs_core.ts";

/** /dir/file, /dir/sub, /link -> dir, /up -> ../../dir, /loop -> loop. */
function tree(): FakeVfs {
  const fake = new FakeVfs();
  fake.mkdir("dir");
  fake.mkdir("dir/sub");
  fake.write("dir/file", "x");
  fake.symlink("dir", "link");
  fake.symlink("../../dir", "up");
  fake.symlink("loop", "loop");
  fake.symlink("/dir/file", "absolute");
  fake.symlink("dir/file/", "slashed");
  return fake;
}

function where(
  fake: FakeVfs,
  path: string,
  options: Partial<ResolveOptions> = {},
  caller = fake.caller,
  at = fake.at,
): string | Errno {
  const place = fake.vfs.resolve(caller, at, path, {
    follow: true,
    ...options,
  });
  if (isErrno(place)) return place;
  const text = fake.vfs.pathTo(fake.at, place);
  place.release();
  return text;
}

Deno.test("PathWalk resolves dots, slashes and symlinks", () => {
  const fake = tree();
  assertEquals(where(fake, "/"), "/");
  assertEquals(where(fake, "//dir//./sub/../file"), "/dir/file");
  assertEquals(where(fake, "/../.."), "/");
  assertEquals(where(fake, "link/sub"), "/dir/sub");
  assertEquals(where(fake, "up/sub/.."), "/dir");
  assertEquals(where(fake, "absolute"), "/dir/file");
  assertEquals(where(fake, "link", { follow: false }), "/link");
});

Deno.test("PathWalk reports why a path does not resolve", () => {
  const fake = tree();
  assertEquals(where(fake, ""), ENOENT);
  assertEquals(where(fake, "none"), ENOENT);
  assertEquals(where(fake, "none/x"), ENOENT);
  assertEquals(where(fake, "dir/file/x"), ENOTDIR);
  assertEquals(where(fake, "dir/file/"), ENOTDIR);
  assertEquals(where(fake, "dir/file/."), ENOTDIR);
  assertEquals(where(fake, "slashed"), ENOTDIR);
  assertEquals(where(fake, "loop"), ELOOP);
  assertEquals(where(fake, "loop/x"), ELOOP);
  assertEquals(where(fake, "a".repeat(256)), ENAMETOOLONG);
  assertEquals(where(fake, "./".repeat(2048)), ENAMETOOLONG);
  assertEquals(where(fake, "./".repeat(2047)), "/");
});

Deno.test("PathWalk takes a trailing slash as a wish to follow", () => {
  const fake = tree();
  assertEquals(where(fake, "link/", { follow: false }), "/dir");
  assertEquals(where(fake, "absolute/", { follow: false }), ENOTDIR);
});

Deno.test("PathWalk follows 40 symlinks and no more", () => {
  const fake = new FakeVfs();
  fake.write("end", "");
  fake.symlink("end", "l1");
  for (let i = 2; i <= 41; i++) fake.symlink(`l${i - 1}`, `l${i}`);
  assertEquals(where(fake, "l40"), "/end");
  assertEquals(where(fake, "l41"), ELOOP);
});

Deno.test("PathWalk needs search permission on every directory", () => {
  const fake = tree();
  const stranger = fake.newCaller(1000);
  const closed = done(fake.inode("dir"));
  closed.mode &= ~0o001;
  assertEquals(where(fake, "dir", {}, stranger), "/dir");
  assertEquals(where(fake, "dir/file", {}, stranger), EACCES);
  assertEquals(where(fake, "dir/.", {}, stranger), EACCES);
  assertEquals(where(fake, "dir/none", {}, stranger), EACCES);
  assertEquals(where(fake, "dir/file"), "/dir/file");
});

Deno.test("PathWalk keeps to RESOLVE_BENEATH and RESOLVE_IN_ROOT", () => {
  const fake = tree();
  const sub = done(
    fake.vfs.resolve(fake.caller, fake.at, "dir", { follow: true }),
  );
  const beneath = (path: string): string | Errno =>
    where(fake, path, { resolveFlags: RESOLVE_BENEATH }, fake.caller, sub);
  assertEquals(beneath("sub/../file"), "/dir/file");
  assertEquals(beneath(".."), EXDEV);
  assertEquals(beneath("/dir"), EXDEV);
  done(fake.vfs.symlink(fake.caller, "/file", sub, "abs"));
  assertEquals(beneath("abs"), EXDEV);
  const inRoot = (path: string): string | Errno =>
    where(fake, path, { resolveFlags: RESOLVE_IN_ROOT }, fake.caller, sub);
  assertEquals(inRoot("/../../file"), "/dir/file");
  assertEquals(inRoot("abs"), "/dir/file");
  sub.release();
});

Deno.test("PathWalk refuses symlinks under RESOLVE_NO_SYMLINKS", () => {
  const fake = tree();
  const resolveFlags = RESOLVE_NO_SYMLINKS;
  assertEquals(where(fake, "link/sub", { resolveFlags }), ELOOP);
  assertEquals(where(fake, "link", { resolveFlags }), ELOOP);
  assertEquals(where(fake, "link", { resolveFlags, follow: false }), "/link");
});

Deno.test("PathWalk answers RESOLVE_CACHED from the dcache only", () => {
  const fake = tree();
  const resolveFlags = RESOLVE_CACHED;
  assertEquals(where(fake, "dir/file", { resolveFlags }), "/dir/file");
  fake.vfs.dcache.forget(fake.fs);
  assertEquals(where(fake, "dir/file", { resolveFlags }), EAGAIN);
});

Deno.test("PathWalk crosses mounts downwards and upwards", () => {
  const fake = tree();
  const at = done(
    fake.vfs.resolve(fake.caller, fake.at, "dir/sub", { follow: true }),
  );
  const mounted = fake.newTmpfs();
  done(fake.vfs.mount(mounted, at, { flags: 0, source: "none" }));
  at.release();
  fake.mkdir("dir/sub/inner");
  assertEquals(where(fake, "dir/sub/inner"), "/dir/sub/inner");
  assertEquals(where(fake, "dir/sub/inner/../.."), "/dir");
  assertEquals(done(fake.inode("dir/sub/inner")).fs, mounted);
  const resolveFlags = RESOLVE_NO_XDEV;
  assertEquals(where(fake, "dir/sub", { resolveFlags }), EXDEV);
});

Deno.test("PathWalk stays below a chroot", () => {
  const fake = tree();
  const jailed = fake.newCaller();
  const dir = done(
    fake.vfs.resolve(fake.caller, fake.at, "dir", { follow: true }),
  );
  jailed.fsContext.setRoot(dir);
  jailed.fsContext.setCwd(dir);
  dir.release();
  const from = jailed.fsContext.cwd;
  assertEquals(where(fake, "/../../file", {}, jailed, from), "/dir/file");
  assertEquals(where(fake, "..", {}, jailed, from), "/dir");
});

Deno.test("Dcache forgets old names but not those in use", () => {
  const fake = new FakeVfs({ dcacheLimit: 32 });
  fake.mkdir("held");
  const held = done(
    fake.vfs.resolve(fake.caller, fake.at, "held", { follow: true }),
  );
  for (let i = 0; i < 200; i++) {
    assertEquals(where(fake, `none${i}`), ENOENT);
  }
  assertEquals(fake.vfs.dcache.size <= 33, true);
  assertEquals(where(fake, "held"), "/held");
  const again = done(
    fake.vfs.resolve(fake.caller, fake.at, "held", { follow: true }),
  );
  assertEquals(again.equals(held), true);
  again.release();
  held.release();
});

Deno.test("Dentry lets go of a deep chain of removed directories", () => {
  const fake = new FakeVfs();
  const { vfs, caller, fs } = fake;
  const depth = 20_000;
  for (let i = 0; i < depth; i++) {
    fake.mkdir("d");
    const next = done(
      vfs.resolve(caller, caller.fsContext.cwd, "d", { follow: true }),
    );
    caller.fsContext.setCwd(next);
    next.release();
  }
  // From the innermost outwards; each removed one holds the next.
  const innermost = caller.fsContext.cwd.acquire();
  const root = fake.rootMount.placeOf(fake.rootMount.root);
  let { dentry } = innermost;
  while (dentry.parent !== null) {
    const above = dentry.parent;
    const at = fake.rootMount.placeOf(above);
    done(vfs.rmdir(caller, at, "d"));
    dentry = above;
  }
  caller.fsContext.setCwd(root);
  const before = fs.status().filesFree;
  innermost.release();
  assertEquals(fs.status().filesFree - before, depth);
});
