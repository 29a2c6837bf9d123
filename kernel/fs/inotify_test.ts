import { assertEquals } from "@std/assert";
import { EAGAIN, EEXIST, EINVAL, isErrno } from "../abi/errno.ts";
import { O_CREAT, O_RDONLY, O_RDWR, RENAME_EXCHANGE } from "../abi/fcntl.ts";
import {
  IN_ALL_EVENTS,
  IN_ATTRIB,
  IN_CLOSE_NOWRITE,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_EXCL_UNLINK,
  IN_IGNORED,
  IN_ISDIR,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_ONESHOT,
  IN_OPEN,
  IN_Q_OVERFLOW,
} from "../abi/inotify.ts";
import { AnonInodes } from "./anon_inode.ts";
import { done, FakeVfs } from "./fake_vfs.ts";
import { InotifyDescription } from "./inotify.ts";

interface Seen {
  readonly wd: number;
  readonly mask: number;
  readonly cookie: number;
  readonly name: string;
}

class Watcher {
  readonly fake = new FakeVfs();
  readonly file: InotifyDescription;

  constructor() {
    const { clock } = this.fake.caller;
    const device = this.fake.vfs.newDevice();
    const inodes = new AnonInodes({ device, clock });
    this.file = new InotifyDescription(inodes, 0);
  }

  watch(path: string, mask: number): number {
    const inode = done(this.fake.inode(path));
    return done(this.file.addWatch(inode, mask));
  }

  /** The events that wait. */
  events(): Seen[] {
    const { caller } = this.fake;
    const count = this.file.read(caller.room(8192), caller);
    if (isErrno(count)) return [];
    const start = 1 << 19;
    const view = new DataView(caller.host.bytes.buffer, start, count);
    const seen: Seen[] = [];
    for (let at = 0; at < count;) {
      const length = view.getUint32(at + 12, true);
      let name = "";
      for (let i = at + 16; i < at + 16 + length; i++) {
        const byte = view.getUint8(i);
        if (byte !== 0) name += String.fromCharCode(byte);
      }
      seen.push({
        wd: view.getInt32(at, true),
        mask: view.getUint32(at + 4, true),
        cookie: view.getUint32(at + 8, true),
        name,
      });
      at += 16 + length;
    }
    return seen;
  }

  /** Their masks and names. */
  told(): [number, string][] {
    return this.events().map(({ mask, name }) => [mask, name]);
  }
}

Deno.test("inotify tells a directory about its entries, with names", () => {
  const watcher = new Watcher();
  const { fake } = watcher;
  fake.mkdir("d");
  watcher.watch("d", IN_ALL_EVENTS);
  fake.write("d/f", "text");
  fake.mkdir("d/sub");
  done(fake.vfs.unlink(fake.caller, fake.at, "d/f"));
  done(fake.vfs.rmdir(fake.caller, fake.at, "d/sub"));
  assertEquals(watcher.told(), [
    [IN_CREATE, "f"],
    [IN_OPEN, "f"],
    [IN_MODIFY, "f"],
    [IN_CLOSE_WRITE, "f"],
    [IN_CREATE | IN_ISDIR, "sub"],
    [IN_DELETE, "f"],
    [IN_DELETE | IN_ISDIR, "sub"],
  ]);
  assertEquals(watcher.file.read(fake.caller.room(64), fake.caller), EAGAIN);
});

Deno.test("inotify tells a file about itself until it is gone", () => {
  const watcher = new Watcher();
  const { fake } = watcher;
  fake.write("f", "");
  const mask = IN_ATTRIB | IN_DELETE_SELF | IN_CLOSE_NOWRITE;
  watcher.watch("f", mask);
  const open = done(fake.open("f", O_RDONLY));
  done(fake.vfs.unlink(fake.caller, fake.at, "f"));
  assertEquals(watcher.told(), [[IN_ATTRIB, ""]]);
  open.release();
  assertEquals(watcher.told(), [
    [IN_CLOSE_NOWRITE, ""],
    [IN_DELETE_SELF, ""],
    [IN_IGNORED, ""],
  ]);
  watcher.file.release();
});

Deno.test("inotify ties the halves of a rename by a cookie", () => {
  const watcher = new Watcher();
  const { fake } = watcher;
  fake.mkdir("a");
  fake.mkdir("b");
  fake.write("a/f", "");
  fake.write("b/g", "");
  const from = watcher.watch("a", IN_MOVED_FROM | IN_MOVED_TO);
  const to = watcher.watch("b", IN_MOVED_FROM | IN_MOVED_TO);
  const self = watcher.watch("a/f", IN_MOVE_SELF);
  const rename = (one: string, other: string, flags: number) =>
    done(fake.vfs.rename(
      fake.caller,
      { at: fake.at, path: one },
      { at: fake.at, path: other },
      flags,
    ));
  rename("a/f", "b/f", 0);
  const seen = watcher.events();
  assertEquals(seen.map(({ wd, mask, name }) => [wd, mask, name]), [
    [from, IN_MOVED_FROM, "f"],
    [to, IN_MOVED_TO, "f"],
    [self, IN_MOVE_SELF, ""],
  ]);
  assertEquals(seen[0]!.cookie, seen[1]!.cookie);
  assertEquals(seen[0]!.cookie > 0 && seen[2]!.cookie === 0, true);
  rename("b/f", "b/g", RENAME_EXCHANGE);
  assertEquals(watcher.events().length, 5);
});

Deno.test("inotify_add_watch() changes, adds to, or refuses a watch", () => {
  const watcher = new Watcher();
  const { fake, file } = watcher;
  fake.write("f", "");
  const inode = done(fake.inode("f"));
  const wd = watcher.watch("f", IN_OPEN);
  assertEquals(watcher.watch("f", IN_MASK_ADD | IN_CLOSE_NOWRITE), wd);
  assertEquals(file.addWatch(inode, IN_MASK_CREATE | IN_OPEN), EEXIST);
  fake.read("f");
  assertEquals(watcher.told(), [[IN_OPEN, ""], [IN_CLOSE_NOWRITE, ""]]);
  assertEquals(watcher.watch("f", IN_OPEN | IN_ONESHOT), wd);
  fake.read("f");
  assertEquals(watcher.told(), [[IN_OPEN, ""], [IN_IGNORED, ""]]);
  assertEquals(inode.watches, null);
  assertEquals(file.removeWatch(wd), EINVAL);
  const next = watcher.watch("f", IN_OPEN);
  assertEquals(file.removeWatch(next), null);
  assertEquals(watcher.told(), [[IN_IGNORED, ""]]);
});

Deno.test("inotify joins equal events and says when it lost some", () => {
  const watcher = new Watcher();
  const { fake, file } = watcher;
  fake.mkdir("d");
  fake.write("d/f", "");
  watcher.watch("d", IN_MODIFY | IN_EXCL_UNLINK | IN_CREATE);
  const open = done(fake.open("d/f", O_RDWR));
  for (let i = 0; i < 3; i++) {
    open.write(fake.caller.source("x"), fake.caller);
  }
  assertEquals(watcher.told(), [[IN_MODIFY, "f"]]);
  done(fake.vfs.unlink(fake.caller, fake.at, "d/f"));
  open.write(fake.caller.source("x"), fake.caller);
  assertEquals(watcher.told(), []);
  open.release();
  for (let i = 0; i < 20_000; i++) {
    file.queueEvent({ wd: 1, mask: IN_CREATE, cookie: i, name: null });
  }
  let last: Seen | undefined;
  for (let batch = watcher.events(); batch.length > 0;) {
    last = batch.at(-1);
    batch = watcher.events();
  }
  assertEquals(last, { wd: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: "" });
  assertEquals(file.read(fake.caller.room(8), fake.caller), EAGAIN);
  fake.write("d/g", "");
  assertEquals(file.read(fake.caller.room(8), fake.caller), EINVAL);
  assertEquals(done(fake.open("d/new", O_CREAT)).isReadable, true);
});
