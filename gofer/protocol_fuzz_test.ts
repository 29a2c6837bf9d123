/**
 * What a client that was taken over may send: noise, true messages with wrong
 * fields, descriptors. Each connection may end for it; the server goes on, holds
 * nothing back, and nothing outside the mount changes.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { GoferFixture, must, openFdCount } from "./_fixture.ts";
import { Connection, MessageBuffers } from "./connection.ts";
import { MAX_MESSAGE, REQUEST_HEADER, Rpc } from "./protocol.ts";
import { MessageReader, MessageWriter } from "./wire.ts";

/** A small generator of numbers (xorshift32), so that a seed tells all. */
class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 1;
  }
  u32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }
  below(limit: number): number {
    return this.u32() % limit;
  }
  chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }
}

const NAMES = ["f", "d", "l", "x", "y", "secret", "user.a", "root"];
const BAD_NAMES = ["..", ".", "x/y", "", "x\0"];
const TYPES = Object.values(Rpc);

function randomName(random: Random): string {
  const names = random.chance(40) ? BAD_NAMES : NAMES;
  return names[random.below(names.length)]!;
}

/** Fields that often make sense, of which few requests are all right. */
function writeFields(request: MessageWriter, random: Random): void {
  const fields = random.below(8);
  for (let i = 0; i < fields; i++) {
    switch (random.below(6)) {
      case 0:
      case 1:
        request.u32(random.chance(4) ? random.u32() : random.below(6));
        break;
      case 2:
        request.text(randomName(random));
        break;
      case 3:
        request.u16(random.chance(3) ? random.u32() & 0xffff : 1);
        break;
      case 4:
        request.f64(
          random.chance(3) ? NaN : random.u32() * 2 ** random.below(64),
        );
        break;
      case 5:
        for (let n = random.below(200); n > 0; n--) {
          request.u8(random.u32() & 255);
        }
    }
  }
}

/** Requests that are right but for their values. */
function writeShaped(request: MessageWriter, type: number, random: Random) {
  const id = () =>
    request.u32(
      random.chance(40)
        ? random.u32()
        : random.chance(6)
        ? 2 + random.below(3)
        : 1,
    );
  const word = () =>
    request.u32(random.chance(12) ? random.u32() : random.below(4));
  const name = () => request.text(randomName(random));
  const owner = () => {
    request.u32(random.u32() & 0o177777);
    request.u32(random.chance(4) ? random.u32() : 0);
    request.u32(random.chance(4) ? random.u32() : 0);
  };
  switch (type) {
    case Rpc.Attach:
      return name();
    case Rpc.Walk: {
      id();
      word();
      const count = random.chance(9) ? random.below(65536) : random.below(4);
      request.u16(count);
      for (let i = 0; i < Math.min(count, 70); i++) name();
      return;
    }
    case Rpc.SetAttr:
      id();
      for (let i = 0; i < 4; i++) word();
      request.f64(random.chance(3) ? -1 : random.u32() * 2 ** random.below(40));
      for (let i = 0; i < 2; i++) {
        request.f64(random.u32());
        word();
      }
      return;
    case Rpc.Create:
      id();
      word();
      owner();
      return name();
    case Rpc.CreateTemporary:
      id();
      word();
      return owner();
    case Rpc.MkDir:
    case Rpc.MkNod:
      id();
      owner();
      return name();
    case Rpc.Symlink:
      id();
      word();
      word();
      name();
      return name();
    case Rpc.Link:
      id();
      id();
      return name();
    case Rpc.Unlink:
      id();
      request.u32(random.chance(2) ? 0 : 0x200);
      return name();
    case Rpc.Rename:
      id();
      id();
      request.u32(random.below(4));
      name();
      return name();
    case Rpc.ReadDir:
      id();
      request.u32(random.below(2));
      word();
      return word();
    case Rpc.ReadAhead: {
      const count = random.chance(9) ? random.below(65536) : random.below(4);
      request.u32(random.below(2));
      request.u16(count);
      for (let i = 0; i < Math.min(count, 70); i++) id();
      return;
    }
    case Rpc.Forget: {
      const count = random.below(3);
      request.u16(count);
      for (let i = 0; i < count; i++) {
        id();
        request.u32(random.below(3));
      }
      return;
    }
    case Rpc.Open:
      id();
      return word();
    case Rpc.FSync:
      id();
      return request.u32(random.below(2));
    case Rpc.RemoveXattr:
      id();
      return name();
    case Rpc.GetAttr:
    case Rpc.ReadLink:
    case Rpc.StatFs:
    case Rpc.ListXattr:
      return id();
    default:
      id();
      word();
      return name();
  }
}

for (const seed of [1, crypto.getRandomValues(new Uint32Array(1))[0]!]) {
  Deno.test(`the server outlives hostile clients (seed ${seed})`, () => {
    using t = new GoferFixture();
    const random = new Random(seed);
    const root = t.connection.session.mounts.get("root")!;
    const before = openFdCount();
    const buffers = new MessageBuffers();
    const reply = new Uint8Array(MAX_MESSAGE);
    const request = new MessageWriter(new Uint8Array(MAX_MESSAGE));
    const fds: number[] = [];
    let answered = 0;
    for (let round = 0; round < 150; round++) {
      const [ours, theirs] = t.channels.pair();
      const connection = new Connection(
        theirs,
        t.channels,
        t.files,
        buffers,
        [root],
        { maxFds: 16, maxNodes: 50 },
      );
      let isOpen = true;
      for (let n = 0; n < 40 && isOpen; n++) {
        let type: number = n === 0
          ? Rpc.Attach
          : TYPES[random.below(TYPES.length)]!;
        // It is seldom right, and ends most connections.
        if (type === Rpc.Forget && !random.chance(9)) type = Rpc.Walk;
        request.length = REQUEST_HEADER;
        if (n === 0) request.text("root");
        else if (random.chance(25)) writeFields(request, random);
        else writeShaped(request, type, random);
        if (random.chance(60)) request.length = random.below(request.length);
        const length = random.chance(80) ? random.u32() : request.length;
        request.view.setUint32(0, length, true);
        request.view.setUint16(
          4,
          random.chance(60) ? random.u32() : type,
          true,
        );
        request.view.setUint16(6, n, true);
        const attached = random.chance(60) ? [ours, ours] : [];
        assertEquals(
          t.channels.send(ours, request.bytes, request.length, attached),
          0,
        );
        isOpen = connection.serveNext(0);
        if (!isOpen) break;
        for (;;) {
          const got = t.channels.receive(ours, reply, fds, {
            spinUs: 0,
            noWait: true,
          });
          for (const fd of fds) t.files.close(fd);
          if (got <= 0) break;
          answered++;
        }
      }
      connection.dispose();
      t.files.close(ours);
      assertEquals(openFdCount(), before);
    }
    assert(answered > 300, `${answered} answers`);
    assertEquals(Deno.readTextFileSync(`${t.outside}/secret`), "secret");
    assertEquals([...Deno.readDirSync(t.outside)].length, 2);
    // Another client of the same server never noticed.
    const attached = must(t.gofer.attach("root"));
    assertEquals(must(t.gofer.getattr(attached.node)).ino, attached.stat.ino);
  });

  Deno.test(`a client outlives a hostile server (seed ${seed})`, () => {
    const random = new Random(seed);
    for (let round = 0; round < 40; round++) {
      using t = new GoferFixture();
      const serve = t.transport.call;
      t.transport.call = (request, length, reply, fds) => {
        let got = serve(request, length, reply, fds);
        if (got <= 0 || !random.chance(3)) return got;
        for (let n = random.below(4); n >= 0; n--) {
          reply[random.below(got)] = random.u32() & 255;
        }
        if (random.chance(3)) got = random.below(got) + 1;
        return got;
      };
      Deno.writeTextFileSync(`${t.dir}/f`, "F");
      const root = t.gofer.attach("root");
      if (typeof root === "number") continue;
      for (let n = 0; n < 20; n++) {
        const walk = t.gofer.walk(root.node, ["f"], { open: 0 });
        if (typeof walk === "number") break;
        if (walk.opened >= 0) t.files.close(walk.opened);
        t.gofer.readdir(root.node, null, { attributes: true });
        t.gofer.listxattr(root.node);
        t.gofer.statfs(root.node);
      }
    }
  });
}

Deno.test("an empty message with descriptors leaves none behind", () => {
  using t = new GoferFixture();
  const before = openFdCount();
  const empty = new Uint8Array(1);
  assertEquals(t.channels.send(t.channel, empty, 0, [0, 1, 2]), 0);
  assertEquals(t.serve(), false);
  assertEquals(openFdCount(), before - 1); // the connection's own end
});

Deno.test("MessageReader yields nothing beyond the message", () => {
  const bytes = new Uint8Array(64).fill(0xff);
  const reader = new MessageReader(bytes);
  reader.reset(0, 6);
  assertEquals(reader.u32(), 0xffffffff);
  assertEquals(reader.f64(), 0);
  assertEquals([reader.isGood, reader.u16()], [false, 0]);
  reader.reset(0, 3);
  assertEquals([reader.text(10), reader.isGood], ["", false]);
  reader.reset(0, 65);
  assertEquals([reader.u8(), reader.isGood], [0, false]);
});
