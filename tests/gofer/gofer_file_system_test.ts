/**
 * GoferFileSystem under the real VFS, over a real server and a real directory:
 * what a guest sees, what the host sees, and how many messages it takes.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { openFdCount } from "../../gofer/_fixture.ts";
import {
  EACCES,
  EEXIST,
  EIO,
  ENOENT,
  ENOTEMPTY,
  EPERM,
  EROFS,
  isErrno,
} from "../../kernel/abi/errno.ts";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
  SEEK_END,
} from "../../kernel/abi/fcntl.ts";
import { S_IFIFO, S_IFLNK, S_IFMT } from "../../kernel/abi/stat.ts";
import { FakeHostMemory, FakeIdentity } from "../../kernel/fs/fake_caller.ts";
import { done, VfsCaller } from "../../kernel/fs/fake_vfs.ts";
import { OverlayFileSystem } from "../../kernel/fs/overlay/overlay.ts";
import { type MappedRange, Translation } from "../../kernel/mm/mappable.ts";
import { Clock } from "../../kernel/time/clock.ts";
import { GoferVfs } from "./_gofer_vfs.ts";

const MODES = ["exclusive", "shared"] as const;

/** A mapping that only counts what it is told. */
class CountingRange implements MappedRange {
  invalidations = 0;
  invalidate(): void {
    this.invalidations++;
  }
}

for (const mode of MODES) {
  Deno.test(`a ${mode} tree shows the host's files and changes them`, () => {
    using t = new GoferVfs(mode);
    Deno.mkdirSync(`${t.dir}/d/e`, { recursive: true });
    Deno.writeTextFileSync(`${t.dir}/d/e/f`, "from the host");
    Deno.symlinkSync("d/e", `${t.dir}/link`);
    assertEquals(t.read("link/f"), "from the host");
    assertEquals(t.read("none"), ENOENT);
    t.write("d/new", "from the guest");
    assertEquals(Deno.readTextFileSync(`${t.dir}/d/new`), "from the guest");
    assertEquals(t.list("d").sort(), ["e", "new"]);
    assertEquals(t.list("/").sort(), ["d", "link"]);
    assertEquals(
      t.vfs.readlink(t.caller, t.at, "link", { allowEmpty: false }),
      "d/e",
    );
  });

  Deno.test(`a ${mode} tree makes, moves and removes names`, () => {
    using t = new GoferVfs(mode);
    const { vfs, caller, at } = t;
    assertEquals(vfs.mkdir(caller, at, "d", 0o777), null);
    assertEquals(Deno.statSync(`${t.dir}/d`).mode! & 0o7777, 0o755);
    assertEquals(vfs.mkdir(caller, at, "d", 0o777), EEXIST);
    assertEquals(vfs.symlink(caller, "target", at, "d/l"), null);
    assertEquals(Deno.readLinkSync(`${t.dir}/d/l`), "target");
    assert(!isErrno(vfs.mknod(caller, at, "p", S_IFIFO | 0o600, 0)));
    t.write("f", "F");
    const from = { at, path: "f" };
    assertEquals(
      vfs.link(caller, from, { follow: false }, { at, path: "d/g" }),
      null,
    );
    const f = done(t.stat("f"));
    assertEquals(f.nlink, 2);
    assertEquals(done(t.stat("d/g")), f);
    assertEquals(vfs.rename(caller, from, { at, path: "d/h" }, 0), null);
    // Two names of one file: rename(2) leaves both.
    assertEquals(
      vfs.rename(caller, { at, path: "d/g" }, { at, path: "d/h" }, 0),
      null,
    );
    assertEquals(t.list("d").sort(), ["g", "h", "l"]);
    assertEquals(vfs.unlink(caller, at, "d/g"), null);
    assertEquals(done(t.stat("d/h")).nlink, 1);
    t.write("x", "X");
    assertEquals(
      vfs.rename(
        caller,
        { at, path: "x" },
        { at, path: "d/h" },
        RENAME_EXCHANGE,
      ),
      null,
    );
    assertEquals([t.read("x"), t.read("d/h")], ["F", "X"]);
    assertEquals(vfs.rmdir(caller, at, "d"), ENOTEMPTY);
    for (const name of ["h", "l"]) vfs.unlink(caller, at, `d/${name}`);
    assertEquals(vfs.rmdir(caller, at, "d"), null);
    assertEquals(t.stat("d"), ENOENT);
    assertEquals(t.list("/").sort(), ["p", "x"]);
    assertEquals([...Deno.readDirSync(t.dir)].length, 2);
  });

  Deno.test(`an unlinked file of a ${mode} tree lives while it is open`, () => {
    using t = new GoferVfs(mode, { maxFds: 16, maxIdleFiles: 0 });
    t.write("f", "before");
    const file = done(t.open("f", O_RDWR));
    t.vfs.unlink(t.caller, t.at, "f");
    t.writeAt(file, 6, " after");
    assertEquals(t.readAt(file, 0, 100), "before after");
    assertEquals(file.inode.refresh(), null);
    assertEquals([file.inode.nlink, file.inode.size], [0, 12]);
    file.release();
  });

  Deno.test(`chmod, chown, utimens, truncate reach a ${mode} tree's host`, () => {
    using t = new GoferVfs(mode);
    t.write("f", "0123456789");
    const inode = done(t.stat("f"));
    const { vfs, caller, mount } = t;
    assertEquals(vfs.chmod(mount, inode, 0o4751, caller), null);
    assertEquals(
      vfs.utimens(mount, inode, { sec: 1, nsec: 2 }, "omit", caller),
      null,
    );
    assertEquals(vfs.truncate(mount, inode, 4, caller), null);
    const host = Deno.statSync(`${t.dir}/f`);
    assertEquals(host.mode! & 0o7777, 0o4751);
    assertEquals(host.size, 4);
    assertEquals(host.atime!.getTime(), 1000);
    assertEquals([inode.size, inode.atime.sec, inode.atime.nsec], [4, 1, 2]);
    if (Deno.uid() !== 0) return;
    assertEquals(vfs.chown(mount, inode, 12, 34, caller), null);
    const owned = Deno.statSync(`${t.dir}/f`);
    assertEquals([owned.uid, owned.gid], [12, 34]);
    assertEquals(owned.mode! & 0o7777, 0o751); // set-user-ID is gone
  });

  Deno.test(`O_APPEND, O_TRUNC, SEEK_END and holes in a ${mode} tree`, () => {
    using t = new GoferVfs(mode);
    t.write("f", "abc");
    const file = done(t.open("f", O_RDWR | O_APPEND));
    done(file.write(t.source("def"), t.caller));
    assertEquals(file.offset, 6);
    assertEquals(t.writeAt(file, 0, "ghi"), 3);
    assertEquals(Deno.readTextFileSync(`${t.dir}/f`), "abcdefghi");
    assertEquals(file.seek(-2, SEEK_END), 7);
    file.release();
    const sparse = done(t.open("f", O_RDWR));
    t.writeAt(sparse, 10_000, "end");
    assertEquals(t.readAt(sparse, 8, 4), "i\0\0\0");
    assertEquals(t.readAt(sparse, 9_998, 100), "\0\0end");
    assertEquals(sparse.inode.refresh(), null);
    assertEquals(sparse.inode.size, 10_003);
    sparse.release();
    done(t.open("f", O_WRONLY | O_TRUNC)).release();
    assertEquals(Deno.statSync(`${t.dir}/f`).size, 0);
    assertEquals(t.read("f"), "");
  });

  Deno.test(`fallocate in a ${mode} tree`, () => {
    using t = new GoferVfs(mode);
    const file = done(t.open("f", O_CREAT | O_RDWR));
    t.writeAt(file, 0, "x".repeat(8192));
    assertEquals(t.readAt(file, 0, 2), "xx");
    const punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    assertEquals(file.allocate(punch, 0, 4096, t.caller), null);
    assertEquals(t.readAt(file, 4094, 4), "\0\0xx");
    assertEquals(file.allocate(0, 8192, 4096, t.caller), null);
    assertEquals(Deno.statSync(`${t.dir}/f`).size, 12288);
    assertEquals(t.readAt(file, 8190, 4), "xx\0\0");
    assertEquals(file.seek(0, SEEK_END), 12288);
    file.release();
  });

  Deno.test(`a mapping of a ${mode} file sees writes, and is written back`, () => {
    using t = new GoferVfs(mode);
    t.write("f", "0123456789");
    const file = done(t.open("f", O_RDWR));
    const mapping = done(file.mappable());
    mapping.acquire();
    const range = new CountingRange();
    mapping.addMapping(range, 0, 4096, true);
    const page = new Translation();
    assertEquals(mapping.translate(0, 4096, true, page), null);
    const shown = new Uint8Array(10);
    const show = () => {
      t.memory.read(page.offset, shown);
      return new TextDecoder().decode(shown);
    };
    assertEquals(show(), "0123456789");
    t.writeAt(file, 2, "ab");
    assertEquals(show(), "01ab456789");
    t.memory.write(page.offset + 4, new TextEncoder().encode("XY"));
    assertEquals(t.readAt(file, 0, 10), "01abXY6789");
    assertEquals(mapping.sync(0, 4096), null);
    assertEquals(Deno.readTextFileSync(`${t.dir}/f`), "01abXY6789");
    // What is stored and never synced arrives when the file is closed.
    t.memory.write(page.offset, new TextEncoder().encode("Z"));
    mapping.removeMapping(range, 0, 4096, true);
    mapping.release();
    file.release();
    assertEquals(Deno.readTextFileSync(`${t.dir}/f`), "Z1abXY6789");
    assertEquals(t.read("f"), "Z1abXY6789");
  });

  Deno.test(`O_TMPFILE in a ${mode} tree can be linked`, () => {
    using t = new GoferVfs(mode);
    const file = done(t.open(".", O_TMPFILE | O_RDWR, 0o600));
    t.writeAt(file, 0, "hidden");
    assertEquals([...Deno.readDirSync(t.dir)].length, 0);
    assertEquals(t.fs.root.link("f", file.inode), null);
    file.release();
    assertEquals(t.read("f"), "hidden");
  });

  Deno.test(`a ${mode} directory lists steadily while it changes`, () => {
    using t = new GoferVfs(mode);
    const expected = [];
    for (let i = 0; i < 600; i++) {
      Deno.writeTextFileSync(`${t.dir}/${i}`, "");
      expected.push(`${i}`);
    }
    const directory = done(t.open("/", O_RDONLY));
    const seen: string[] = [];
    let isEnd = false;
    while (!isEnd) {
      isEnd = true;
      let left = 7;
      done(directory.readDirectory({
        emit(name) {
          if (left-- === 0) return isEnd = false;
          seen.push(name);
          return true;
        },
      }, t.caller));
      // Names that come and go must not disturb the others.
      t.write(`new${seen.length}`, "");
      t.list("/");
      t.vfs.unlink(t.caller, t.at, `new${seen.length}`);
    }
    directory.release();
    const old = seen.filter((name) => /^\d+$/.test(name));
    assertEquals(old.sort(), expected.sort());
  });

  Deno.test(`a ${mode} tree leaves no inode, page or descriptor behind`, () => {
    const before = openFdCount();
    {
      using t = new GoferVfs(mode, { dcacheLimit: 16, maxIdleFiles: 4 });
      const memory = t.memoryFile.allocatedBytes;
      const fds = openFdCount();
      for (let i = 0; i < 100; i++) t.write(`f${i}`, `content ${i}`);
      for (let i = 0; i < 100; i++) {
        assertEquals(t.read(`f${i}`), `content ${i}`);
      }
      assert(t.fs.inodeCount <= 20, `${t.fs.inodeCount} inodes`);
      t.server.gofer.flush();
      // The server's nodes are in this process, too.
      const nodes = t.server.connection.session.nodes.openFds;
      assert(openFdCount() - fds <= 4 + nodes);
      t.vfs.dcache.forget(t.fs);
      assertEquals(t.fs.inodeCount, 1);
      assertEquals(t.memoryFile.allocatedBytes, memory);
      t.server.gofer.flush();
      assertEquals(t.server.connection.session.nodes.size, 1);
      assertEquals(t.server.lost, []);
    }
    assertEquals(openFdCount(), before);
  });
}

Deno.test("an exclusive tree answers from its caches", () => {
  using t = new GoferVfs("exclusive");
  Deno.mkdirSync(`${t.dir}/d`);
  Deno.writeTextFileSync(`${t.dir}/d/f`, "content");
  assertEquals(t.read("d/f"), "content");
  assertEquals(t.stat("d/none"), ENOENT);
  t.messages = 0;
  const file = done(t.open("d/f", O_RDWR));
  assertEquals(t.messages, 1); // a descriptor for writing
  for (let i = 0; i < 10; i++) {
    assertEquals(done(t.stat("d/f")).size, 7);
    assertEquals(t.stat("d/none"), ENOENT);
    assertEquals(t.read("d/f"), "content");
    t.writeAt(file, 0, "c");
    assertEquals(file.inode.refresh(), null);
  }
  file.release();
  assertEquals(t.messages, 1);
});

Deno.test("an exclusive directory is listed after a few failed lookups", () => {
  using t = new GoferVfs("exclusive");
  for (let i = 0; i < 10; i++) assertEquals(t.stat(`none${i}`), ENOENT);
  t.messages = 0;
  for (let i = 10; i < 50; i++) assertEquals(t.stat(`none${i}`), ENOENT);
  assertEquals(t.messages, 0);
  t.write("none20", "now it is");
  assertEquals(t.read("none20"), "now it is");
  assertEquals(t.vfs.unlink(t.caller, t.at, "none20"), null);
  assertEquals(t.stat("none20"), ENOENT);
});

Deno.test("a shared tree sees what the host does", () => {
  using t = new GoferVfs("shared");
  assertEquals(t.read("f"), ENOENT);
  Deno.writeTextFileSync(`${t.dir}/f`, "one");
  assertEquals(t.read("f"), "one");
  const file = done(t.open("f", O_RDONLY));
  Deno.writeTextFileSync(`${t.dir}/f`, "two three");
  assertEquals(t.readAt(file, 0, 100), "two three");
  t.letTimePass();
  assertEquals(file.seek(0, SEEK_END), 9);
  assertEquals(done(t.stat("f")).size, 9);
  Deno.chmodSync(`${t.dir}/f`, 0o600);
  assertEquals(done(t.stat("f")).mode & 0o777, 0o600);
  // Another file of that name is another inode.
  Deno.writeTextFileSync(`${t.dir}/g`, "new");
  Deno.renameSync(`${t.dir}/g`, `${t.dir}/f`);
  assertEquals(t.read("f"), "new");
  assertEquals(t.readAt(file, 0, 100), "two three");
  file.release();
  Deno.removeSync(`${t.dir}/f`);
  assertEquals(t.read("f"), ENOENT);
  Deno.writeTextFileSync(`${t.dir}/h`, "");
  assertEquals(t.list("/"), ["h"]);
});

Deno.test("a shared mapping is shown anew after the host wrote", () => {
  using t = new GoferVfs("shared");
  Deno.writeTextFileSync(`${t.dir}/f`, "old content");
  const file = done(t.open("f", O_RDONLY));
  const mapping = done(file.mappable());
  mapping.acquire();
  const range = new CountingRange();
  mapping.addMapping(range, 0, 4096, false);
  const page = new Translation();
  assertEquals(mapping.translate(0, 4096, false, page), null);
  Deno.writeTextFileSync(`${t.dir}/f`, "new stuff!!!");
  t.letTimePass();
  assertEquals(file.inode.refresh(), null);
  assert(range.invalidations > 0);
  assertEquals(mapping.translate(0, 4096, false, page), null);
  const shown = new Uint8Array(12);
  t.memory.read(page.offset, shown);
  assertEquals(new TextDecoder().decode(shown), "new stuff!!!");
  mapping.removeMapping(range, 0, 4096, false);
  mapping.release();
  file.release();
});

Deno.test("a read-only tree can be read and not written", () => {
  using t = new GoferVfs("exclusive", { isReadOnly: true });
  Deno.writeTextFileSync(`${t.dir}/f`, "F");
  assertEquals(t.read("f"), "F");
  assertEquals(t.open("f", O_WRONLY), EROFS);
  assertEquals(t.open("g", O_CREAT | O_WRONLY), EROFS);
  assertEquals(t.vfs.unlink(t.caller, t.at, "f"), EROFS);
  assertEquals(t.vfs.mkdir(t.caller, t.at, "d", 0o755), EROFS);
});

Deno.test("symlinks lead nowhere but where the guest's kernel goes", () => {
  using t = new GoferVfs("shared");
  Deno.symlinkSync("../secret", `${t.dir}/up`);
  Deno.symlinkSync(`${t.server.outside}/secret`, `${t.dir}/absolute`);
  assertEquals(t.read("up"), ENOENT);
  assertEquals(t.read("absolute"), ENOENT);
  assertEquals(done(t.stat("up")).mode & S_IFMT, S_IFLNK);
});

Deno.test("device nodes can't be made on the host", () => {
  using t = new GoferVfs("shared");
  assertEquals(t.vfs.mknod(t.caller, t.at, "n", 0o020666, 0x103), EPERM);
});

Deno.test("a lost server is EIO, and is told", () => {
  using t = new GoferVfs("shared");
  Deno.writeTextFileSync(`${t.dir}/f`, "F");
  const file = done(t.open("f", O_RDONLY));
  t.server.connection.serveNext = () => false;
  assertEquals(t.read("g"), EIO);
  assertEquals(t.server.lost.length, 1);
  assertEquals(t.readAt(file, 0, 1), "F"); // its descriptor is ours
  file.release();
});

Deno.test("cached pages stay within the limit, mapped ones stay", () => {
  using t = new GoferVfs("exclusive");
  const { caches } = t.memoryFile;
  caches.limitBytes = 64 * 4096;
  for (let i = 0; i < 40; i++) {
    Deno.writeTextFileSync(`${t.dir}/f${i}`, `${i % 10}`.repeat(64 * 1024));
  }
  const file = done(t.open("f0", O_RDONLY));
  const mapping = done(file.mappable());
  mapping.acquire();
  mapping.addMapping(new CountingRange(), 0, 4096, false);
  const page = new Translation();
  assertEquals(mapping.translate(0, 4096, false, page), null);
  const before = t.memoryFile.allocatedBytes;
  for (let i = 1; i < 40; i++) {
    const other = done(t.open(`f${i}`, O_RDONLY));
    for (let at = 0; at < 65536; at += 4096) {
      assertEquals(t.readAt(other, at, 4096), `${i % 10}`.repeat(4096));
    }
    other.release();
    if (caches.isOver) caches.reclaim(); // as the kernel does between tasks
  }
  assert(t.memoryFile.allocatedBytes - before < 100 * 4096);
  const shown = new Uint8Array(4096);
  t.memory.read(page.offset, shown);
  assertEquals(new Set(shown), new Set([0x30]));
  file.release();
});

Deno.test("attributes of an exclusive directory that was read come together", () => {
  using t = new GoferVfs("exclusive");
  for (let i = 0; i < 100; i++) Deno.writeTextFileSync(`${t.dir}/f${i}`, "x");
  Deno.linkSync(`${t.dir}/f50`, `${t.dir}/hard`);
  Deno.symlinkSync("f1", `${t.dir}/soft`);
  t.write("f99", "known before");
  const names = t.list("/");
  assertEquals(names.length, 102);
  t.messages = 0;
  for (const name of names) {
    const inode = done(t.stat(name));
    assertEquals(inode.ino, Deno.lstatSync(`${t.dir}/${name}`).ino);
    assertEquals(inode.size, Deno.lstatSync(`${t.dir}/${name}`).size);
  }
  assert(t.messages < 10, `${t.messages} messages`);
  assertEquals(t.read("f7"), "x");
  assertEquals(done(t.stat("f50")), done(t.stat("hard")));
  // What was prefetched and never looked up is given back.
  t.vfs.unlink(t.caller, t.at, "f3");
  assertEquals(t.stat("f3"), ENOENT);
  t.vfs.dcache.forget(t.fs);
  t.server.gofer.flush();
  assertEquals(t.server.connection.session.nodes.size, 1);
});

/** Lists directories and looks at their subdirectories as find(1) does; their
 * number. */
function find(t: GoferVfs, path: string): number {
  let count = 1;
  const inode = done(t.stat(path));
  assertEquals(inode.ino, Deno.lstatSync(`${t.dir}/${path}`).ino);
  for (const name of t.list(path)) {
    if (name.startsWith("d")) count += find(t, `${path}/${name}`);
  }
  return count;
}

function makeTree(path: string, width: number, depth: number): void {
  Deno.mkdirSync(path, { recursive: true });
  for (let i = 0; i < 3; i++) Deno.writeTextFileSync(`${path}/f${i}`, path);
  if (depth === 0) return;
  for (let i = 0; i < width; i++) makeTree(`${path}/d${i}`, width, depth - 1);
}

Deno.test("a walk down a tree takes a message for many directories", () => {
  using t = new GoferVfs("exclusive");
  makeTree(`${t.dir}/tree`, 6, 3);
  t.messages = 0;
  assertEquals(find(t, "tree"), 1 + 6 + 36 + 216);
  assert(t.messages < 20, `${t.messages} messages`);
  // Attributes of the files come along, once some were wanted.
  t.messages = 0;
  const files = (path: string) => {
    for (const name of t.list(path)) {
      const inode = done(t.stat(`${path}/${name}`));
      assertEquals(inode.size, Deno.lstatSync(`${t.dir}/${path}/${name}`).size);
      if (inode.isDirectory) files(`${path}/${name}`);
    }
  };
  makeTree(`${t.dir}/other`, 6, 3);
  files("other");
  assert(t.messages < 100, `${t.messages} messages`);
});

Deno.test("a directory that was read ahead shows what was changed since", () => {
  using t = new GoferVfs("exclusive");
  makeTree(`${t.dir}/tree`, 3, 2);
  const before = find(t, "tree");
  t.vfs.dcache.forget(t.fs);
  t.list("tree");
  for (const name of ["d0", "d1"]) t.stat(`tree/${name}`); // reads ahead
  t.write("tree/d2/new", "new");
  t.vfs.unlink(t.caller, t.at, "tree/d2/f0");
  assertEquals(t.vfs.mkdir(t.caller, t.at, "tree/d2/d9", 0o777), null);
  assertEquals(
    t.list("tree/d2").sort(),
    ["d0", "d1", "d2", "d9", "f1", "f2", "new"],
  );
  assertEquals(t.stat("tree/d2/f0"), ENOENT);
  assertEquals(t.read("tree/d2/new"), "new");
  assertEquals(find(t, "tree"), before + 1);
  t.vfs.dcache.forget(t.fs);
  t.server.gofer.flush();
  assertEquals(t.fs.inodeCount, 1);
  assertEquals(t.server.connection.session.nodes.size, 1);
});

Deno.test("a prefetched file shows what was written to it since", () => {
  using t = new GoferVfs("exclusive", { dcacheLimit: 8 });
  for (let i = 0; i < 60; i++) Deno.writeTextFileSync(`${t.dir}/f${i}`, "x");
  t.write("f40", "before");
  const names = t.list("/");
  for (const name of names.slice(0, 5)) t.stat(name); // prefetches
  for (let round = 0; round < 3; round++) {
    for (const name of names) t.write(name, `${round}${name}`);
    for (const name of names) assertEquals(t.read(name), `${round}${name}`);
  }
});

Deno.test("to open a file by its path costs one message, through an overlay, too", () => {
  using t = new GoferVfs("exclusive");
  Deno.mkdirSync(`${t.dir}/a/b/c`, { recursive: true });
  Deno.writeTextFileSync(`${t.dir}/a/b/c/f`, "deep");
  Deno.writeTextFileSync(`${t.dir}/a/b/c/g`, "also deep");
  Deno.mkdirSync(`${t.dir}/a/b/c/d`);
  t.messages = 0;
  assertEquals(t.read("a/b/c/f"), "deep");
  assertEquals(t.messages, 1);
  assertEquals(t.read("a/b/c/g"), "also deep");
  assertEquals(t.messages, 2);
  assertEquals(t.read("a/b/c/none"), ENOENT);
  assertEquals(t.messages, 3);
  t.vfs.dcache.forget(t.fs);

  const overlay = new OverlayFileSystem({
    lowers: [t.fs],
    memoryFile: t.memoryFile,
    clock: new Clock(t.hostClock),
    device: t.vfs.newDevice(),
  });
  const mount = t.vfs.newNamespace(overlay, { flags: 0, source: "none" });
  const root = mount.placeOf(mount.root);
  t.caller.fsContext.setRoot(root);
  t.caller.fsContext.setCwd(root);
  t.messages = 0;
  assertEquals(t.read("a/b/c/f"), "deep");
  assertEquals(t.messages, 1);
  assertEquals(
    t.vfs.chmod(mount, done(t.stat("a/b/c/f")), 0o600, t.caller),
    null,
  );
  assertEquals(t.stat("a/b/c/none/x"), ENOENT);
  // Files and names of the overlay's own are not asked for.
  t.write("a/b/own", "own");
  const before = t.messages;
  assertEquals(t.read("a/b/own"), "own");
  assertEquals(t.messages, before);
  t.vfs.unlink(t.caller, t.at, "a/b/c/g");
  assertEquals(t.read("a/b/c/g"), ENOENT);
});

Deno.test("attributes found ahead do not undo a change", () => {
  using t = new GoferVfs("exclusive");
  Deno.mkdirSync(`${t.dir}/a/b`, { recursive: true });
  Deno.writeTextFileSync(`${t.dir}/a/b/f`, "x");
  const inode = done(t.stat("a/b/f"));
  inode.acquire();
  t.vfs.dcache.forget(t.fs);
  // The walk ends at "a", which others may not search; "f" was asked for.
  assertEquals(t.vfs.chmod(t.mount, done(t.stat("a")), 0o700, t.caller), null);
  t.vfs.dcache.forget(t.fs);
  const stranger = new VfsCaller(
    new FakeHostMemory(),
    t.caller.fsContext,
    new FakeIdentity(1000, 1000),
  );
  const walk = t.vfs.lookup(stranger, t.at, "a/b/f", { follow: false });
  assertEquals(walk, EACCES);
  assertEquals(t.vfs.chmod(t.mount, inode, 0o751, t.caller), null);
  assertEquals(done(t.stat("a/b/f")).mode & 0o777, 0o751);
  inode.release();
});

Deno.test("a path costs one message, cold or shared", () => {
  for (const mode of MODES) {
    using t = new GoferVfs(mode);
    Deno.mkdirSync(`${t.dir}/a/b/c`, { recursive: true });
    Deno.writeTextFileSync(`${t.dir}/a/b/c/f`, "deep");
    Deno.symlinkSync("b/c", `${t.dir}/a/l`);
    t.messages = 0;
    assertEquals(done(t.stat("a/b/c/f")).size, 4);
    assertEquals(t.messages, 1);
    assertEquals(done(t.stat("a/b/c/f")).size, 4);
    assertEquals(t.messages, mode === "shared" ? 2 : 1);
    assertEquals(t.stat("a/b/none/x"), ENOENT);
    assertEquals(done(t.stat("a/l/f")).size, 4);
    assertEquals(done(t.stat("a/b/../b/./c/f")).size, 4);
    // The host's changes show in the middle of a known path, too.
    if (mode === "shared") {
      Deno.renameSync(`${t.dir}/a/b`, `${t.dir}/a/x`);
      assertEquals(t.stat("a/b/c/f"), ENOENT);
      assertEquals(t.stat("a/l/f"), ENOENT);
      assertEquals(done(t.stat("a/x/c/f")).size, 4);
    }
    t.vfs.dcache.forget(t.fs);
    t.fs.walkAhead.clear();
    t.server.gofer.flush();
    assertEquals(t.server.connection.session.nodes.size, 1);
  }
});
