import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLPRI,
} from "../abi/epoll.ts";
import {
  EEXIST,
  EFAULT,
  EINVAL,
  ELOOP,
  ENOENT,
  EPERM,
  type Errno,
} from "../abi/errno.ts";
import { O_RDWR } from "../abi/fcntl.ts";
import { S_IFCHR, S_IFREG } from "../abi/stat.ts";
import { Waiter, WaitQueue } from "../sync/wait_queue.ts";
import { Dentry } from "./dentry.ts";
import { EpollDescription } from "./epoll.ts";
import { FileDescription } from "./file_description.ts";
import { FileSystem, type FileSystemStatus } from "./file_system.ts";
import { Inode } from "./inode.ts";
import { Mount, VfsPath } from "./mount.ts";

class TestInode extends Inode {}
class TestFs extends FileSystem {
  readonly typeName = "test";
  readonly device = 1;
  readonly root: Inode = new TestInode(this, 1, S_IFCHR, { sec: 0, nsec: 0 });
  override status(): FileSystemStatus | Errno {
    return EPERM;
  }
}

/** A file whose readiness the test sets. */
class Source extends FileDescription {
  readonly #queue = new WaitQueue();
  state = 0;
  override get queue(): WaitQueue {
    return this.#queue;
  }
  override readiness(): number {
    return this.state;
  }
  become(state: number, event = state): void {
    this.state = state;
    this.#queue.wake(event);
  }
}

class CountingWaiter extends Waiter {
  count = 0;
  override notify(): boolean {
    this.count++;
    return true;
  }
}

const fs = new TestFs();
const mount = new Mount(
  1,
  fs,
  new Dentry(fs, null, "", fs.root),
  null,
  null,
  0,
  "test",
);
function place(mode = S_IFCHR): VfsPath {
  const inode = new TestInode(fs, 2, mode, { sec: 0, nsec: 0 });
  return new VfsPath(mount, new Dentry(fs, null, "x", inode));
}
const newSource = () => new Source(place(), O_RDWR);
const newEpoll = () => new EpollDescription(place());

function event(events: number, dataLow = 0) {
  return { events, dataLow, dataHigh: 0 };
}

/** What collect() hands out, as [events, data] pairs. */
function collect(epoll: EpollDescription, maximum = 10): number[][] {
  const got: number[][] = [];
  const count = epoll.collect(maximum, (events, low) => {
    got.push([events, low]);
    return null;
  });
  assertEquals(count, got.length);
  return got;
}

Deno.test("EpollDescription reports level-triggered files while they are ready", () => {
  const epoll = newEpoll();
  const source = newSource();
  assertEquals(epoll.add(source, 3, event(EPOLLIN, 33)), null);
  assertEquals(collect(epoll), []);
  source.become(EPOLLOUT);
  assertEquals(collect(epoll), []);
  source.become(EPOLLIN | EPOLLOUT, EPOLLIN);
  assertEquals(epoll.readiness() & EPOLLIN, EPOLLIN);
  assertEquals(collect(epoll), [[EPOLLIN, 33]]);
  assertEquals(collect(epoll), [[EPOLLIN, 33]]);
  source.state = 0;
  assertEquals(collect(epoll), []);
  assertEquals(epoll.readiness(), 0);
});

Deno.test("EPOLLET reports once per event", () => {
  const epoll = newEpoll();
  const source = newSource();
  source.state = EPOLLIN;
  epoll.add(source, 3, event(EPOLLIN | EPOLLET));
  assertEquals(collect(epoll), [[EPOLLIN, 0]]);
  assertEquals(collect(epoll), []);
  source.become(EPOLLIN);
  source.become(EPOLLIN);
  assertEquals(collect(epoll).length, 1);
  assertEquals(collect(epoll).length, 0);
});

Deno.test("EPOLLONESHOT is silent until EPOLL_CTL_MOD", () => {
  const epoll = newEpoll();
  const source = newSource();
  epoll.add(source, 3, event(EPOLLIN | EPOLLONESHOT));
  source.become(EPOLLIN);
  assertEquals(collect(epoll).length, 1);
  source.become(EPOLLIN | EPOLLHUP);
  assertEquals(collect(epoll).length, 0);
  assertEquals(epoll.modify(source, 3, event(EPOLLIN | EPOLLONESHOT, 7)), null);
  assertEquals(collect(epoll), [[EPOLLIN | EPOLLHUP, 7]]);
});

Deno.test("EPOLLERR and EPOLLHUP are reported unasked", () => {
  const epoll = newEpoll();
  const source = newSource();
  epoll.add(source, 3, event(0));
  source.become(EPOLLHUP | EPOLLERR | EPOLLIN);
  assertEquals(collect(epoll), [[EPOLLHUP | EPOLLERR, 0]]);
});

Deno.test("EpollDescription takes turns when maxevents is short", () => {
  const epoll = newEpoll();
  const sources = [1, 2, 3].map((data) => {
    const source = newSource();
    source.state = EPOLLIN;
    epoll.add(source, data, event(EPOLLIN, data));
    return source;
  });
  assertEquals(sources.length, 3);
  const order = () => collect(epoll, 2).map(([, data]) => data);
  assertEquals([order(), order(), order()], [[1, 2], [3, 1], [2, 3]]);
});

Deno.test("EpollDescription keeps an event that could not be stored", () => {
  const epoll = newEpoll();
  const source = newSource();
  source.state = EPOLLIN;
  epoll.add(source, 3, event(EPOLLIN | EPOLLET));
  assertStrictEquals(epoll.collect(5, () => EFAULT), EFAULT);
  assertEquals(collect(epoll).length, 1);
});

Deno.test("epoll_ctl() refuses what Linux refuses", () => {
  const epoll = newEpoll();
  const source = newSource();
  const regular = new Source(place(S_IFREG), O_RDWR);
  assertStrictEquals(epoll.add(regular, 3, event(EPOLLIN)), EPERM);
  assertStrictEquals(epoll.add(epoll, 3, event(EPOLLIN)), EINVAL);
  assertStrictEquals(epoll.modify(source, 3, event(EPOLLIN)), ENOENT);
  assertStrictEquals(epoll.remove(source, 3), ENOENT);
  assertEquals(epoll.add(source, 3, event(EPOLLIN)), null);
  assertStrictEquals(epoll.add(source, 3, event(EPOLLIN)), EEXIST);
  // Another number for the same file is another registration.
  assertEquals(epoll.add(source, 4, event(EPOLLIN)), null);
  const exclusive = EPOLLIN | EPOLLEXCLUSIVE;
  assertStrictEquals(epoll.modify(source, 3, event(exclusive)), EINVAL);
  assertStrictEquals(
    epoll.add(newSource(), 5, event(exclusive | EPOLLPRI)),
    EINVAL,
  );
  assertEquals(epoll.add(source, 6, event(exclusive)), null);
  assertStrictEquals(epoll.modify(source, 6, event(EPOLLIN)), EINVAL);
  assertStrictEquals(epoll.add(newEpoll(), 7, event(exclusive)), EINVAL);
});

Deno.test("A registration ends with its file", () => {
  const epoll = newEpoll();
  const source = newSource();
  source.state = EPOLLIN;
  epoll.add(source, 3, event(EPOLLIN));
  source.acquire();
  source.release();
  assertEquals(collect(epoll).length, 1);
  source.release();
  assertEquals(collect(epoll).length, 0);
  assertEquals([...epoll.items()], []);

  const other = newSource();
  epoll.add(other, 4, event(EPOLLIN));
  epoll.release();
  assertEquals(other.closeWatchers?.size, 0);
  assert(other.queue.isEmpty);
});

Deno.test("epoll instances nest five deep and never in a circle", () => {
  const chain = [newEpoll()];
  for (let i = 1; i < 5; i++) {
    const next = newEpoll();
    assertEquals(next.add(chain[i - 1]!, i, event(EPOLLIN)), null);
    chain.push(next);
  }
  assertStrictEquals(newEpoll().add(chain[4]!, 9, event(EPOLLIN)), ELOOP);
  assertStrictEquals(chain[0]!.add(newEpoll(), 9, event(EPOLLIN)), ELOOP);
  assertStrictEquals(chain[0]!.add(chain[4]!, 9, event(EPOLLIN)), ELOOP);

  const waiter = new CountingWaiter();
  chain[4]!.queue.add(waiter, EPOLLIN);
  const source = newSource();
  chain[0]!.add(source, 5, event(EPOLLIN, 5));
  source.become(EPOLLIN);
  assertEquals(waiter.count, 1);
  assertEquals(chain[4]!.readiness() & EPOLLIN, EPOLLIN);
  assertEquals(collect(chain[4]!).length, 1);
});

Deno.test("EPOLLEXCLUSIVE wakes one of several waiting instances", () => {
  const source = newSource();
  const waiters = [newEpoll(), newEpoll()].map((epoll) => {
    epoll.add(source, 3, event(EPOLLIN | EPOLLEXCLUSIVE));
    const waiter = new CountingWaiter();
    epoll.queue.add(waiter, EPOLLIN);
    return waiter;
  });
  source.become(EPOLLIN);
  assertEquals(waiters.map((waiter) => waiter.count), [1, 0]);
});
