import { assertEquals } from "@std/assert";
import { Waiter, WaitQueue } from "./wait_queue.ts";

class Recorder extends Waiter {
  constructor(
    readonly name: string,
    readonly log: string[],
    readonly act: () => boolean = () => true,
  ) {
    super();
  }
  override notify(): boolean {
    this.log.push(this.name);
    return this.act();
  }
}

Deno.test("WaitQueue.wake() notifies in order those who asked", () => {
  const log: string[] = [];
  const queue = new WaitQueue();
  const a = new Recorder("a", log);
  const b = new Recorder("b", log);
  const c = new Recorder("c", log);
  queue.add(a, 1);
  queue.add(b, 4);
  queue.add(c, 5);
  queue.wake(1);
  assertEquals(log, ["a", "c"]);
  queue.remove(a);
  queue.remove(a);
  queue.wake();
  assertEquals(log, ["a", "c", "b", "c"]);
});

Deno.test("WaitQueue.wake() goes on when a waiter takes its neighbours along", () => {
  const log: string[] = [];
  const queue = new WaitQueue();
  const leave = () => {
    queue.remove(first);
    queue.remove(second);
    return true;
  };
  const first: Recorder = new Recorder("first", log, leave);
  const second: Recorder = new Recorder("second", log);
  const third = new Recorder("third", log);
  for (const waiter of [first, second, third]) queue.add(waiter, 1);
  queue.wake(1);
  assertEquals(log, ["first", "third"]);
});

Deno.test("WaitQueue.wake() wakes one exclusive waiter that has use for it", () => {
  const log: string[] = [];
  const queue = new WaitQueue();
  for (const name of ["idle", "busy", "late"]) {
    const waiter = new Recorder(name, log, () => name !== "idle");
    waiter.isExclusive = true;
    queue.add(waiter, 1);
  }
  queue.add(new Recorder("shared", log), 1);
  queue.wake(1);
  assertEquals(log, ["idle", "busy", "shared"]);
  log.length = 0;
  assertEquals(queue.wakeSome(1, 1), 1);
  assertEquals(log, ["idle", "busy"]);
});
