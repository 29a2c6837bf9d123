import { assertEquals, assertNotEquals } from "@std/assert";
import {
  ENODATA,
  ENOENT,
  ENOTEMPTY,
  type Errno,
  isErrno,
} from "../../abi/errno.ts";
import { O_APPEND, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/fcntl.ts";
import { S_IFCHR, S_IFREG } from "../../abi/stat.ts";
import type { Inode } from "../../vfs/inode.ts";
import { FOLLOW, NOFOLLOW } from "../../vfs/vfs_core.ts";
import { done, FakeVfs } from "../fake_vfs.ts";
import type { TmpfsFileSystem } from "../tmpfs/tmpfs.ts";
import { OverlayFileSystem } from "./overlay.ts";

/** Mounts an overlay of `layers` tmpfs instances (uppermost first) at /o; each
 * can be filled through /0, /1, ... before `fill` returns. */
function overlay(
  layers: number,
  fill: (fake: FakeVfs) => void,
  options: { readonly sizeBytes?: number } = {},
): FakeVfs {
  const fake = new FakeVfs();
  const lowers: TmpfsFileSystem[] = [];
  const mount = (name: string, fs: TmpfsFileSystem | OverlayFileSystem) => {
    fake.mkdir(name);
    const at = done(
      fake.vfs.resolve(fake.caller, fake.at, name, FOLLOW),
    );
    done(fake.vfs.mount(fs, at, { flags: 0, source: "none" }));
    at.release();
  };
  for (let i = 0; i < layers; i++) {
    const lower = fake.newTmpfs({ mode: 0o755 });
    lowers.push(lower);
    mount(`${i}`, lower);
  }
  fill(fake);
  mount(
    "o",
    new OverlayFileSystem({
      lowers,
      memoryFile: fake.memoryFile,
      clock: fake.caller.clock,
      device: fake.vfs.newDevice(),
      ...options,
    }),
  );
  return fake;
}

function inode(fake: FakeVfs, path: string): Inode {
  const found = done(fake.inode(path));
  done(found.refresh());
  return found;
}

function unlink(fake: FakeVfs, path: string): Errno | null {
  return fake.vfs.unlink(fake.caller, fake.at, path);
}

function rename(
  fake: FakeVfs,
  from: string,
  to: string,
  flags = 0,
): Errno | null {
  return fake.vfs.rename(
    fake.caller,
    { at: fake.at, path: from },
    { at: fake.at, path: to },
    flags,
  );
}

Deno.test("OverlayFileSystem reads lower files and writes above them", () => {
  const fake = overlay(1, (f) => f.write("0/a", "lower"));
  assertEquals(fake.read("o/a"), "lower");
  const { ino } = inode(fake, "o/a");
  fake.write("o/a", "upper!");
  assertEquals(fake.read("o/a"), "upper!");
  assertEquals(fake.read("0/a"), "lower");
  assertEquals(inode(fake, "o/a").ino, ino);
  assertEquals(inode(fake, "o/a").size, 6);
});

Deno.test("OverlayFileSystem copies data up when a file is opened to write", () => {
  const fake = overlay(1, (f) => f.write("0/a", "lower"));
  const old = done(fake.open("o/a", O_RDONLY));
  const file = done(fake.open("o/a", O_RDWR | O_APPEND));
  done(file.write(fake.caller.source("+"), fake.caller));
  assertEquals(fake.read("o/a"), "lower+");
  // What was open before goes on showing the lower file.
  assertEquals(done(old.read(fake.caller.room(64), fake.caller)), 5);
  assertEquals(fake.read("0/a"), "lower");
  old.release();
  file.release();
});

Deno.test("OverlayFileSystem hides removed names and makes them anew", () => {
  const fake = overlay(1, (f) => {
    f.write("0/a", "lower");
    f.mkdir("0/d");
    f.write("0/d/x", "lower");
  });
  assertEquals(unlink(fake, "o/a"), null);
  assertEquals(fake.read("o/a"), ENOENT);
  assertEquals(fake.list("o"), [".", "..", "d"]);
  fake.write("o/a", "new");
  assertEquals(fake.read("o/a"), "new");
  assertEquals(fake.list("o"), [".", "..", "d", "a"]);
  assertEquals(unlink(fake, "o/a"), null);
  assertEquals(fake.read("o/a"), ENOENT);

  const rmdir = () => fake.vfs.rmdir(fake.caller, fake.at, "o/d");
  assertEquals(rmdir(), ENOTEMPTY);
  assertEquals(unlink(fake, "o/d/x"), null);
  assertEquals(rmdir(), null);
  fake.mkdir("o/d");
  // Made anew, it shows nothing of the lower one.
  assertEquals(fake.list("o/d"), [".", ".."]);
  assertEquals(fake.read("o/d/x"), ENOENT);
  assertEquals(fake.read("0/d/x"), "lower");
});

Deno.test("OverlayFileSystem renames lower files and whole lower trees", () => {
  const fake = overlay(1, (f) => {
    f.mkdir("0/d");
    f.mkdir("0/d/e");
    f.write("0/d/e/x", "deep");
    f.write("0/a", "lower");
    f.write("0/b", "other");
  });
  assertEquals(rename(fake, "o/a", "o/b"), null);
  assertEquals(fake.read("o/b"), "lower");
  assertEquals(fake.read("o/a"), ENOENT);
  assertEquals(rename(fake, "o/d", "o/moved"), null);
  assertEquals(fake.read("o/moved/e/x"), "deep");
  assertEquals(fake.read("o/d/e/x"), ENOENT);
  assertEquals(fake.list("o"), [".", "..", "b", "moved"]);
  fake.write("o/moved/e/y", "new");
  assertEquals(rename(fake, "o/moved", "o/d"), null);
  assertEquals(fake.list("o/d/e"), [".", "..", "x", "y"]);
  assertEquals(fake.read("0/d/e/x"), "deep");
});

Deno.test("OverlayFileSystem keeps hard links one file across copy-up", () => {
  const fake = overlay(1, (f) => {
    f.write("0/a", "lower");
    done(f.vfs.link(
      f.caller,
      { at: f.at, path: "0/a" },
      NOFOLLOW,
      { at: f.at, path: "0/b" },
    ));
  });
  assertEquals(inode(fake, "o/a").nlink, 2);
  fake.write("o/a", "changed");
  assertEquals(fake.read("o/b"), "changed");
  assertEquals(inode(fake, "o/a").ino, inode(fake, "o/b").ino);
  assertEquals(unlink(fake, "o/a"), null);
  assertEquals(inode(fake, "o/b").nlink, 1);
  assertEquals(fake.read("o/b"), "changed");
});

Deno.test("OverlayFileSystem keeps changed attributes without copying data", () => {
  const fake = overlay(1, (f) => f.write("0/a", "lower"), { sizeBytes: 4096 });
  const { vfs, caller } = fake;
  const mount = done(vfs.lookup(caller, fake.at, "o/a", FOLLOW)).mount;
  assertEquals(vfs.chmod(mount, inode(fake, "o/a"), 0o600, caller), null);
  assertEquals(vfs.chown(mount, inode(fake, "o/a"), 5, 6, caller), null);
  // Every name is forgotten; what was changed is not.
  vfs.dcache.forget(mount.fs);
  const shown = inode(fake, "o/a");
  assertEquals(shown.mode, S_IFREG | 0o600);
  assertEquals([shown.uid, shown.gid, shown.size], [5, 6, 5]);
  assertEquals(fake.read("o/a"), "lower");
  assertEquals(inode(fake, "0/a").uid, 0);
  const status = done(mount.fs.status());
  assertEquals(status.blocks, status.blocksFree);
});

Deno.test("OverlayFileSystem keeps changed xattrs above the lower ones", () => {
  const fake = overlay(1, (f) => {
    f.write("0/a", "");
    const lower = done(f.inode("0/a"));
    lower.setXattr("user.one", Uint8Array.of(1), 0);
    lower.setXattr("user.two", Uint8Array.of(2), 0);
  });
  const file = inode(fake, "o/a");
  assertEquals(file.removeXattr("user.one"), null);
  assertEquals(file.getXattr("user.one"), ENODATA);
  assertEquals(file.getXattr("user.two"), Uint8Array.of(2));
  assertEquals(file.listXattrs(), ["user.two"]);
  const lower = inode(fake, "0/a");
  assertEquals(lower.getXattr("user.one"), Uint8Array.of(1));
});

Deno.test("OverlayFileSystem merges layers and honours their whiteouts", () => {
  const fake = overlay(2, (f) => {
    f.mkdir("0/d");
    f.mkdir("1/d");
    f.write("0/d/top", "0");
    f.write("0/d/both", "0");
    f.write("1/d/both", "1");
    f.write("1/d/deep", "1");
    f.write("1/d/gone", "1");
    const { vfs, caller } = f;
    done(vfs.mknod(caller, f.at, "0/d/gone", S_IFCHR | 0o000, 0));
    f.mkdir("0/opaque");
    f.mkdir("1/opaque");
    f.write("1/opaque/x", "1");
    const yes = Uint8Array.of(0x79);
    done(done(f.inode("0/opaque")).setXattr("trusted.overlay.opaque", yes, 0));
  });
  assertEquals(fake.list("o/d").sort(), [".", "..", "both", "deep", "top"]);
  assertEquals(fake.read("o/d/both"), "0");
  assertEquals(fake.read("o/d/deep"), "1");
  assertEquals(fake.read("o/d/gone"), ENOENT);
  assertEquals(fake.list("o/opaque"), [".", ".."]);
  assertEquals(fake.read("o/opaque/x"), ENOENT);
  assertNotEquals(inode(fake, "o/d/deep").ino, inode(fake, "o/d/top").ino);
});

Deno.test("OverlayDirectory lists on while entries are removed", () => {
  const fake = overlay(1, (f) => {
    for (let i = 0; i < 30; i++) f.write(`0/f${i}`, "");
  });
  for (let i = 0; i < 10; i++) fake.write(`o/g${i}`, "");
  const directory = done(fake.open("o", O_RDONLY));
  const seen: string[] = [];
  for (;;) {
    const names: string[] = [];
    done(directory.readDirectory({
      emit: (name) => names.length < 4 && names.push(name) > 0,
    }, fake.caller));
    if (names.length === 0) break;
    seen.push(...names);
    for (const name of names) {
      if (!name.startsWith(".")) assertEquals(unlink(fake, `o/${name}`), null);
    }
  }
  directory.release();
  assertEquals(seen.length, 42);
  assertEquals(fake.list("o"), [".", ".."]);
});

Deno.test("OverlayFileSystem gives memory back with the last name", () => {
  const fake = overlay(1, (f) => f.write("0/a", "lower"));
  const fs = done(fake.vfs.lookup(fake.caller, fake.at, "o", FOLLOW)).mount.fs;
  fake.write("o/a", "x");
  fake.write("o/b", "y");
  const used = () => {
    const status = fs.status();
    return isErrno(status) ? -1 : status.blocks - status.blocksFree;
  };
  assertEquals(used(), 2);
  const open = done(fake.open("o/a", O_WRONLY));
  assertEquals(unlink(fake, "o/a"), null);
  assertEquals(unlink(fake, "o/b"), null);
  assertEquals(used(), 1);
  open.release();
  assertEquals(used(), 0);
});
