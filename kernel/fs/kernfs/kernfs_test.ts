/**
 * Tables of synthetic trees, and the files that make their content.
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { EACCES, EINVAL, EIO, ENOENT, isErrno } from "../../abi/errno.ts";
import {
  O_CREAT,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../../abi/fcntl.ts";
import { done, FakeVfs } from "../fake_vfs.ts";
import { ContentCache } from "./content_cache.ts";
import { directory, file, link } from "./entries.ts";
import { type Entry, EntryTable } from "./entry_table.ts";
import { KernfsFileSystem } from "./kernfs_file_system.ts";
import { RootSubject, type Subject } from "./kernfs_inode.ts";
import { TableDirectory } from "./table_directory.ts";

/** A subject that a test can end. */
class Mortal extends RootSubject {
  override isCurrent = true;
  text = "first";
  owner = 0;
  written = "";
  override uidFor(): number {
    return this.owner;
  }
}

const ENTRIES: readonly Entry<Mortal>[] = [
  file("text", 0o644, {
    read: (subject) => subject.text,
    write(subject, text) {
      if (text === "bad") return EINVAL;
      subject.written = text;
      return null;
    },
  }),
  file("fact", 0o444, { read: () => "fact", unwritable: EIO }),
  file("closed", 0o644, { read: () => "", refuseOpen: () => EACCES }),
  link("link", "below/leaf"),
  directory("below", 0o555, [file("leaf", 0o444, () => "leaf")]),
];

class TestFileSystem<S extends Subject> extends KernfsFileSystem {
  override readonly root: TableDirectory<S>;
  constructor(fake: FakeVfs, subject: S, entries: readonly Entry<S>[]) {
    super({
      typeName: "test",
      magic: 1,
      device: fake.vfs.newDevice(),
      clock: fake.caller.clock,
    });
    const table = new EntryTable(entries);
    table.enumerate(1);
    const options = { inoBase: 1, ino: 1, mode: 0o555 };
    this.root = new TableDirectory(this, subject, table, options);
  }
}

function mounted(): { fake: FakeVfs; subject: Mortal } {
  const fake = new FakeVfs();
  const subject = new Mortal();
  fake.mkdir("/t");
  const at = done(
    fake.vfs.resolve(fake.caller, fake.at, "/t", { follow: true }),
  );
  const fs = new TestFileSystem(fake, subject, ENTRIES);
  done(fake.vfs.mount(fs, at, { flags: 0, source: "t" }));
  at.release();
  return { fake, subject };
}

Deno.test("TableDirectory lists and finds its rows", () => {
  const { fake } = mounted();
  assertEquals(
    fake.list("/t"),
    [".", "..", "text", "fact", "closed", "link", "below"],
  );
  assertEquals(fake.read("/t/link"), "leaf");
  assertEquals(fake.inode("/t/none"), ENOENT);
  assertEquals(done(fake.inode("/t")).nlink, 3);
  assertEquals(done(fake.inode("/t/below")).mode, 0o40555);
});

Deno.test("names vanish with their subject, and owners follow it", () => {
  const { fake, subject } = mounted();
  subject.owner = 7;
  assertEquals(done(fake.inode("/t/text")).uid, 7);
  subject.owner = 8;
  assertEquals(done(fake.inode("/t/text")).uid, 8);
  subject.isCurrent = false;
  assertEquals(fake.inode("/t/text"), ENOENT);
  assertEquals(fake.inode("/t/below/leaf"), ENOENT);
});

Deno.test("GeneratedDescription keeps the content that it began with", () => {
  const { fake, subject } = mounted();
  const open = done(fake.open("/t/text", O_RDONLY));
  const read = (length: number) =>
    fake.caller.text(
      done(open.read(fake.caller.room(length), fake.caller)),
    );
  assertEquals(read(2), "fi");
  subject.text = "second";
  assertEquals(read(10), "rst");
  assertEquals(read(10), "");
  open.seek(0, 0);
  assertEquals(read(10), "second");
  assertEquals(
    fake.caller.text(
      done(open.readAt(fake.caller.room(10), 3, fake.caller)),
    ),
    "ond",
  );
  open.release();
});

Deno.test("GeneratedDescription hands each write over as a whole", () => {
  const { fake, subject } = mounted();
  const open = done(fake.open("/t/text", O_RDWR | O_TRUNC));
  const write = (text: string) =>
    open.write(fake.caller.source(text), fake.caller);
  assertEquals(write("one"), 3);
  assertEquals(subject.written, "one");
  assertEquals(write("bad"), EINVAL);
  assertEquals(write("x".repeat(5000)), 5000);
  assertEquals(subject.written.length, 4096);
  open.release();
});

Deno.test("files without a writer say so, guarded ones don't open", () => {
  const { fake } = mounted();
  const fact = done(fake.open("/t/fact", O_WRONLY));
  assertEquals(fact.write(fake.caller.source("x"), fake.caller), EIO);
  fact.release();
  assertEquals(fake.open("/t/closed", O_RDONLY), EACCES);
  assertEquals(fake.open("/t/new", O_WRONLY | O_CREAT), EACCES);
  assertEquals(isErrno(fake.open("/t/below", O_RDONLY)), false);
});

Deno.test("EntryTable refuses two rows of a name, and two places of a row", () => {
  const row = file<RootSubject>("a", 0o444, () => "");
  assertThrows(() => new EntryTable([row, row]), Error, '"a"');
  new EntryTable([row]).enumerate(1);
  const other = file<RootSubject>("b", 0o444, () => "");
  assertThrows(
    () => new EntryTable([other, row]).enumerate(1),
    Error,
    "two numbers",
  );
});

Deno.test("ContentCache gives up the oldest contents, never the newest", () => {
  const cache = new ContentCache(100);
  const dropped: string[] = [];
  const owner = (name: string) => ({ dropContent: () => dropped.push(name) });
  const [a, b, c] = [owner("a"), owner("b"), owner("c")];
  cache.keep(a!, 40);
  cache.keep(b!, 40);
  cache.keep(a!, 50);
  assertEquals(dropped, []);
  cache.keep(c!, 20);
  assertEquals(dropped, ["b"]);
  cache.keep(b!, 1000);
  assertEquals(dropped, ["b", "a", "c"]);
  assertEquals(cache.bytes, 1000);
  cache.forget(b!);
  assertEquals(cache.bytes, 0);
});

Deno.test("GeneratedDescription keeps nothing after its end, or when closed", () => {
  const { fake } = mounted();
  const first = done(fake.open("/t/text", O_RDONLY));
  const { contents } = first.inode.fs as KernfsFileSystem;
  const read = (length: number) =>
    first.read(fake.caller.room(length), fake.caller);
  assertEquals(read(2), 2);
  assertEquals(contents.bytes, 5);
  assertEquals(read(9), 3);
  assertEquals(read(9), 0);
  assertEquals(contents.bytes, 0);
  first.seek(0, 0);
  assertEquals(read(1), 1);
  first.release();
  assertEquals(contents.bytes, 0);
});
