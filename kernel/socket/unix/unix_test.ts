import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  EACCES,
  EADDRINUSE,
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  ENOBUFS,
  ENOENT,
  ENOPROTOOPT,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  EPROTONOSUPPORT,
  EPROTOTYPE,
  ESOCKTNOSUPPORT,
  isErrno,
} from "../../abi/errno.ts";
import { FIONREAD } from "../../abi/ioctl.ts";
import { POLLHUP, POLLIN, POLLOUT, POLLRDHUP } from "../../abi/poll.ts";
import { SIGPIPE } from "../../abi/signal.ts";
import {
  MSG_NOSIGNAL,
  MSG_PEEK,
  MSG_TRUNC,
  SHUT_RD,
  SHUT_WR,
  SO_ERROR,
  SO_MARK,
  SO_PEERCRED,
  SO_SNDBUF,
  SOCK_DGRAM,
  SOCK_RDM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../abi/socket.ts";
import { FakeVfs, type VfsCaller } from "../../fs/fake_vfs.ts";
import { MemoryBuffer } from "../../mm/io_buffer.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import {
  IncomingMessage,
  type PeerCredentials,
  type Socket,
  SocketFileSystem,
} from "../socket.ts";
import { MessageBudget } from "./message_inbox.ts";
import { encodeUnixAddress, parseUnixAddress } from "./unix_address.ts";
import { UnixFamily } from "./unix_family.ts";

function setUp() {
  const world = new FakeVfs();
  const { caller, host, vfs, memoryFile } = world;
  const sockets = new SocketFileSystem({ clock: caller.clock, device: 40 });
  const family = new UnixFamily({
    sockets,
    vfs,
    memory: host,
    pages: memoryFile,
  });
  const create = (type = SOCK_STREAM) => {
    const made = family.create(type, 0, caller);
    assert(!isErrno(made));
    return made;
  };
  const pair = (type = SOCK_STREAM) => {
    const made = family.createPair(type, 0, caller);
    assert(!isErrno(made));
    return made;
  };
  /** A listener at an abstract name, with that backlog. */
  const listener = (name = "\0here", backlog = 5, type = SOCK_STREAM) => {
    const socket = create(type);
    assertEquals(socket.bind(address(name), caller), null);
    assertEquals(socket.listen(backlog, caller), null);
    return socket;
  };
  return { world, caller, family, create, pair, listener };
}

/** struct sockaddr_un of a path, or of an abstract name after "\0". */
function address(name: string): Uint8Array {
  const isAbstract = name.startsWith("\0");
  return encodeUnixAddress({
    kind: isAbstract ? "abstract" : "path",
    name: isAbstract ? name.slice(1) : name,
  });
}

function send(
  socket: Socket,
  caller: VfsCaller,
  text: string,
  options: {
    flags?: number;
    to?: string;
    rights?: FileDescription[];
    credentials?: PeerCredentials;
  } = {},
) {
  return socket.send({
    io: caller.source(text),
    address: options.to === undefined ? null : address(options.to),
    ancillary: {
      rights: options.rights ?? [],
      credentials: options.credentials ?? null,
    },
    flags: options.flags ?? 0,
  }, caller);
}

function receive(
  socket: Socket,
  caller: VfsCaller,
  options: { flags?: number; space?: number } = {},
) {
  const io = caller.room(options.space ?? 100);
  const message = new IncomingMessage(io, options.flags ?? 0);
  const count = socket.receive(message, caller);
  const text = isErrno(count) ? count : caller.text(io.done);
  return { count, text, message };
}

Deno.test("parseUnixAddress() tells paths, abstract names and no name", () => {
  assertEquals(parseUnixAddress(Uint8Array.of(1, 0)), "unnamed");
  assertEquals(parseUnixAddress(address("/run/x")), {
    kind: "path",
    name: "/run/x",
  });
  assertEquals(parseUnixAddress(address("\0a\0b")), {
    kind: "abstract",
    name: "a\0b",
  });
  assertStrictEquals(parseUnixAddress(Uint8Array.of(1)), EINVAL);
  assertStrictEquals(parseUnixAddress(Uint8Array.of(2, 0, 0)), EINVAL);
  assertStrictEquals(parseUnixAddress(new Uint8Array(111).fill(1)), EINVAL);
});

Deno.test("UnixFamily refuses protocols and types that it lacks", () => {
  const { family, caller } = setUp();
  assertStrictEquals(family.create(SOCK_STREAM, 6, caller), EPROTONOSUPPORT);
  assertStrictEquals(family.create(SOCK_RDM, 0, caller), ESOCKTNOSUPPORT);
  assert(!isErrno(family.create(SOCK_DGRAM, 1, caller)));
});

Deno.test("A stream pair carries bytes both ways", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair();
  assertStrictEquals(receive(a, caller).count, EAGAIN);
  assertEquals(send(a, caller, "one"), 3);
  assertEquals(send(a, caller, "two"), 3);
  assertEquals(b.ioctl(FIONREAD, 64, caller), 0);
  assertEquals(caller.memory.readU32(64), 6);
  assertEquals(b.readiness() & POLLIN, POLLIN);
  assertEquals(receive(b, caller, { flags: MSG_PEEK }).text, "onetwo");
  assertEquals(receive(b, caller, { space: 4 }).text, "onet");
  assertEquals(receive(b, caller).text, "wo");
  assertEquals(b.write(caller.source("back"), caller), 4);
  assertEquals(a.read(caller.room(9), caller), 4);
});

Deno.test("A stream takes as much as SO_SNDBUF, and no more", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair();
  const value = Uint8Array.of(0, 0x40, 0, 0);
  assertEquals(a.setOption(SOL_SOCKET, SO_SNDBUF, value, caller), null);
  const shown = a.getOption(SOL_SOCKET, SO_SNDBUF, caller);
  assert(!isErrno(shown));
  assertEquals(new DataView(shown.buffer).getInt32(0, true), 0x8000);
  assertEquals(send(a, caller, "x".repeat(40000)), 0x8000);
  assertStrictEquals(send(a, caller, "y"), EAGAIN);
  assertEquals(a.readiness() & POLLOUT, 0);
  assertEquals(b.read(caller.room(30000), caller), 30000);
  assertEquals(a.readiness() & POLLOUT, POLLOUT);
  assertEquals(send(a, caller, "z".repeat(20000)), 20000);
});

Deno.test("Closing an end is the end of the stream, then EPIPE", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair();
  send(a, caller, "last");
  a.release();
  assertEquals(
    b.readiness() & (POLLIN | POLLHUP | POLLRDHUP),
    POLLIN | POLLHUP | POLLRDHUP,
  );
  assertEquals(receive(b, caller).text, "last");
  assertEquals(receive(b, caller).count, 0);
  assertStrictEquals(send(b, caller, "x", { flags: MSG_NOSIGNAL }), EPIPE);
  assertEquals(caller.raised, []);
  assertStrictEquals(send(b, caller, "x"), EPIPE);
  assertEquals(caller.raised, [SIGPIPE]);
});

Deno.test("Closing an end that was not read out is ECONNRESET", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair();
  send(b, caller, "unread");
  a.release();
  assertStrictEquals(receive(b, caller).count, ECONNRESET);
  assertEquals(receive(b, caller).count, 0);
});

Deno.test("shutdown() closes one direction for both ends", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair();
  send(a, caller, "tail");
  assertEquals(a.shutdown(SHUT_WR), null);
  assertStrictEquals(send(a, caller, "x"), EPIPE);
  assertEquals(receive(b, caller).text, "tail");
  assertEquals(receive(b, caller).count, 0);
  assertEquals(send(b, caller, "still"), 5);
  assertEquals(receive(a, caller).text, "still");
  assertEquals(b.shutdown(SHUT_RD), null);
  assertEquals(a.readiness() & POLLHUP, 0);
  assertStrictEquals(a.shutdown(9), EINVAL);
});

Deno.test("connect() and accept() meet at an abstract name", () => {
  const { create, listener, caller } = setUp();
  const client = create();
  assertEquals(client.readiness() & POLLHUP, POLLHUP);
  assertStrictEquals(client.connect(address("\0here"), caller), ECONNREFUSED);
  const server = listener();
  assertStrictEquals(server.accept(caller), EAGAIN);
  assertEquals(client.connect(address("\0here"), caller), null);
  assertEquals(server.readiness() & POLLIN, POLLIN);
  assertEquals(send(client, caller, "early"), 5);
  const accepted = server.accept(caller);
  assert(!isErrno(accepted));
  assertEquals(receive(accepted, caller).text, "early");
  assertEquals(accepted.localAddress(), address("\0here"));
  assertEquals(client.peerAddress(), address("\0here"));
  assertEquals(accepted.peerAddress(), Uint8Array.of(1, 0));
  assertStrictEquals(client.connect(address("\0here"), caller), EISCONN);
  assertStrictEquals(server.connect(address("\0here"), caller), EINVAL);
  // Closing a connection leaves the listener's name alone.
  accepted.release();
  assertEquals(create().connect(address("\0here"), caller), null);
});

Deno.test("A full backlog makes connect() wait", () => {
  const { create, listener, caller } = setUp();
  const server = listener("\0busy", 0);
  assertEquals(create().connect(address("\0busy"), caller), null);
  const waiting = create();
  assertStrictEquals(waiting.connect(address("\0busy"), caller), EAGAIN);
  assertStrictEquals(waiting.connectQueue, server.queue);
  const accepted = server.accept(caller);
  assert(!isErrno(accepted));
  assertEquals(waiting.connect(address("\0busy"), caller), null);
  // Connections that nobody accepted are reset with the listener.
  server.release();
  assertStrictEquals(receive(waiting, caller).count, ECONNRESET);
  assertStrictEquals(
    create().connect(address("\0busy"), caller),
    ECONNREFUSED,
  );
});

Deno.test("A path names a socket while it is bound", () => {
  const { world, create, caller } = setUp();
  const server = create();
  assertEquals(server.bind(address("/sock"), caller), null);
  assertStrictEquals(create().bind(address("/sock"), caller), EADDRINUSE);
  assertStrictEquals(server.bind(address("/other"), caller), EINVAL);
  assertStrictEquals(create().connect(address("/sock"), caller), ECONNREFUSED);
  assertEquals(server.listen(1, caller), null);
  world.symlink("/sock", "/link");
  assertEquals(create().connect(address("/link"), caller), null);
  assertStrictEquals(create().connect(address("/none"), caller), ENOENT);
  const datagram = create(SOCK_DGRAM);
  assertStrictEquals(datagram.connect(address("/sock"), caller), EPROTOTYPE);
  world.write("/plain", "");
  assertStrictEquals(create().connect(address("/plain"), caller), ECONNREFUSED);
  const stranger = world.newCaller(1000);
  assertStrictEquals(create().connect(address("/sock"), stranger), EACCES);
  server.release();
  assertStrictEquals(create().connect(address("/sock"), caller), ECONNREFUSED);
  assert(!isErrno(world.inode("/sock")));
});

Deno.test("bind() without a name picks an abstract one", () => {
  const { create, caller } = setUp();
  const socket = create();
  assertStrictEquals(socket.listen(1, caller), EINVAL);
  assertEquals(socket.bind(Uint8Array.of(1, 0), caller), null);
  assertEquals(socket.localAddress(), address("\x0000000"));
});

Deno.test("An unconnected socket has nobody to talk to", () => {
  const { create, caller } = setUp();
  const stream = create();
  assertStrictEquals(send(stream, caller, "x"), ENOTCONN);
  assertStrictEquals(receive(stream, caller).count, EINVAL);
  assertStrictEquals(stream.peerAddress(), ENOTCONN);
  assertStrictEquals(send(stream, caller, "x", { to: "\0a" }), EOPNOTSUPP);
  const packets = create(SOCK_SEQPACKET);
  assertStrictEquals(receive(packets, caller).count, ENOTCONN);
  const datagrams = create(SOCK_DGRAM);
  assertStrictEquals(send(datagrams, caller, "x"), ENOTCONN);
  assertStrictEquals(datagrams.listen(1, caller), EOPNOTSUPP);
});

Deno.test("SOCK_SEQPACKET keeps messages apart and cuts long ones", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair(SOCK_SEQPACKET);
  send(a, caller, "first");
  send(a, caller, "");
  send(a, caller, "second");
  const cut = receive(b, caller, { space: 2 });
  assertEquals([cut.text, cut.message.flags], ["fi", MSG_TRUNC]);
  assertEquals(receive(b, caller).count, 0);
  const whole = receive(b, caller, { space: 2, flags: MSG_TRUNC });
  assertEquals(whole.count, 6);
  assertStrictEquals(send(a, caller, "x".repeat(213000)), EMSGSIZE);
  a.release();
  assertEquals(receive(b, caller).count, 0);
});

Deno.test("Datagrams go to names, and from them", () => {
  const { create, caller } = setUp();
  const server = create(SOCK_DGRAM);
  server.bind(address("\0log"), caller);
  const client = create(SOCK_DGRAM);
  assertEquals(send(client, caller, "anonymous", { to: "\0log" }), 9);
  client.bind(address("\0me"), caller);
  assertEquals(send(client, caller, "named", { to: "\0log" }), 5);
  const first = receive(server, caller);
  assertEquals([first.text, first.message.address], ["anonymous", null]);
  assertEquals(receive(server, caller).message.address, address("\0me"));

  assertEquals(client.connect(address("\0log"), caller), null);
  assertEquals(send(client, caller, "direct"), 6);
  assertEquals(receive(server, caller).text, "direct");
  server.connect(address("\0me"), caller);
  const third = create(SOCK_DGRAM);
  assertStrictEquals(send(third, caller, "x", { to: "\0log" }), EPERM);
  server.release();
  assertStrictEquals(send(client, caller, "x"), ECONNREFUSED);
  assertStrictEquals(send(client, caller, "x"), ENOTCONN);
});

Deno.test("Messages of all sockets together have a limit", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair(SOCK_DGRAM);
  a.sendBuffer = 2 * MessageBudget.LIMIT;
  const sendMegabyte = () =>
    a.send({
      io: new MemoryBuffer(caller.host, 0, 1 << 20),
      address: null,
      ancillary: null,
      flags: 0,
    }, caller);
  let sent = 0;
  while (sendMegabyte() === 1 << 20) sent++;
  assertStrictEquals(sendMegabyte(), ENOBUFS);
  assertEquals(sent, MessageBudget.LIMIT / (1 << 20) - 1);
  receive(b, caller);
  assertEquals(sendMegabyte(), 1 << 20);
});

Deno.test("A stream of tiny pieces of many senders is full early", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair();
  for (let pid = 1; pid <= 1024; pid++) {
    const credentials = { pid, uid: 0, gid: 0 };
    assertEquals(send(a, caller, "x", { credentials }), 1);
  }
  assertStrictEquals(send(a, caller, "y"), EAGAIN);
  assertEquals(a.readiness() & POLLOUT, 0);
  assertEquals(b.read(caller.room(600), caller), 600);
  assertEquals(a.readiness() & POLLOUT, POLLOUT);
  assertEquals(send(a, caller, "y"), 1);
});

Deno.test("A full datagram queue makes its senders wait", () => {
  const { create, caller } = setUp();
  const server = create(SOCK_DGRAM);
  server.bind(address("\0slow"), caller);
  const client = create(SOCK_DGRAM);
  client.connect(address("\0slow"), caller);
  for (let i = 0; i < 11; i++) assertEquals(send(client, caller, "m"), 1);
  assertStrictEquals(send(client, caller, "m"), EAGAIN);
  assertEquals(client.readiness() & POLLOUT, 0);
  receive(server, caller);
  assertEquals(client.readiness() & POLLOUT, POLLOUT);
  assertEquals(send(client, caller, "m"), 1);
});

Deno.test("SCM_RIGHTS passes files on, with the bytes that they came with", () => {
  const { world, pair, caller } = setUp();
  const [a, b] = pair();
  world.write("/file", "content");
  const file = world.open("/file", 0);
  assert(!isErrno(file));
  send(a, caller, "before");
  assertEquals(send(a, caller, "F", { rights: [file.acquire()] }), 1);
  send(a, caller, "after");
  const peeked = receive(b, caller, { flags: MSG_PEEK });
  assertEquals(peeked.text, "beforeF");
  assertEquals(file.references, 3);
  for (const each of peeked.message.rights) each.release();
  const got = receive(b, caller);
  assertEquals(got.text, "beforeF");
  assertStrictEquals(got.message.rights[0], file);
  assertEquals(receive(b, caller).text, "after");
  got.message.rights[0]!.release();
  // Files of messages that nobody reads are closed with the socket.
  send(a, caller, "F", { rights: [file.acquire()] });
  assertEquals(file.references, 2);
  b.release();
  assertEquals(file.references, 1);
});

Deno.test("Sockets that only their own messages refer to are collected", () => {
  const { world, create, pair, caller } = setUp();
  world.write("/file", "");
  const file = world.open("/file", 0);
  assert(!isErrno(file));
  // Each end waits in the other's queue, together with a file.
  const [a, b] = pair();
  send(a, caller, "x", { rights: [a.acquire(), file.acquire()] });
  send(b, caller, "x", { rights: [b.acquire()] });
  // A socket that is still in use holds another one: that one must stay.
  const [c, d] = pair();
  const e = create();
  send(c, caller, "x", { rights: [e.acquire()] });
  for (const socket of [a, b, e]) {
    socket.flush(caller);
    socket.release();
  }
  assertEquals(file.references, 1);
  assertEquals([a, b].map((socket) => socket.references), [0, 0]);
  assertEquals(e.references, 1);
  const got = receive(d, caller);
  assertStrictEquals(got.message.rights[0], e);
});

Deno.test("A cycle is collected when the last message that leads to it goes", () => {
  const { create, pair, caller } = setUp();
  const [own, ownPeer] = pair(SOCK_DGRAM);
  const [a, b] = pair(SOCK_DGRAM);
  // `own` waits in its own queue, and in b's.
  send(ownPeer, caller, "x", { rights: [own.acquire()] });
  send(a, caller, "x", { rights: [own.acquire()] });
  own.flush(caller);
  own.release();
  assertEquals(own.references, 2);
  b.flush(caller);
  b.release();
  assertEquals(own.references, 0);
  create().release();
});

Deno.test("A long chain of sockets in each other's queues ends in a loop", () => {
  const { create, pair, caller } = setUp();
  let held: Socket = create();
  for (let i = 0; i < 20000; i++) {
    const [a, b] = pair(SOCK_DGRAM);
    send(a, caller, "", { rights: [held] });
    a.release();
    held = b;
  }
  held.flush(caller);
  held.release();
  assertEquals(held.references, 0);
});

Deno.test("SO_PASSCRED and SO_PEERCRED tell who is there", () => {
  const { pair, caller } = setUp();
  const [a, b] = pair();
  b.passesCredentials = true;
  send(a, caller, "me");
  const credentials = { pid: 77, uid: 5, gid: 6 };
  send(a, caller, "other", { credentials });
  const own = receive(b, caller);
  assertEquals([own.text, own.message.credentials?.pid], ["me", 1]);
  assertEquals(receive(b, caller).message.credentials, credentials);
  const peer = a.getOption(SOL_SOCKET, SO_PEERCRED, caller);
  assert(!isErrno(peer));
  assertEquals(new DataView(peer.buffer).getInt32(0, true), 1);
});

Deno.test("Options that a socket lacks are ENOPROTOOPT", () => {
  const { create, caller } = setUp();
  const socket = create();
  const value = Uint8Array.of(1, 0, 0, 0);
  assertStrictEquals(
    socket.setOption(SOL_SOCKET, SO_MARK, value, caller),
    ENOPROTOOPT,
  );
  assertStrictEquals(
    socket.setOption(SOL_SOCKET, SO_ERROR, value, caller),
    ENOPROTOOPT,
  );
  assertStrictEquals(socket.getOption(6, 1, caller), EOPNOTSUPP);
  assertStrictEquals(
    socket.setOption(SOL_SOCKET, SO_SNDBUF, value.subarray(0, 2), caller),
    EINVAL,
  );
});
