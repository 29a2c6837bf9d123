/** Timers fire in order, once, at their last deadline. */
import { assertEquals } from "@std/assert";
import { NEVER } from "../clock.ts";
import { SeededRandom } from "../random.ts";
import { Timer, TimerQueue } from "./timer_queue.ts";

Deno.test("TimerQueue fires by deadline; what was put off fires later, what was disarmed never", () => {
  const queue = new TimerQueue();
  const fired: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) =>
    new Timer(() => fired.push(name))
  );
  queue.arm(a!, 10);
  queue.arm(b!, 20);
  queue.arm(c!, 15);
  queue.arm(a!, 30);
  queue.arm(b!, 5);
  queue.disarm(c!);
  assertEquals(queue.nextDeadline(), 5);
  queue.fire(29);
  assertEquals(fired, ["b"]);
  assertEquals(queue.nextDeadline(), 30);
  queue.fire(30);
  queue.fire(100);
  assertEquals(fired, ["b", "a"]);
  assertEquals(queue.nextDeadline(), NEVER);
});

Deno.test("TimerQueue agrees with a sorted list (seed 5)", () => {
  const random = new SeededRandom(5);
  const queue = new TimerQueue();
  let now = 0;
  const timers = Array.from({ length: 40 }, () => new Timer(() => {}));
  for (let round = 0; round < 5000; round++) {
    const timer = timers[random.below(40)]!;
    if (random.below(4) === 0) queue.disarm(timer);
    else queue.arm(timer, now + 1 + random.below(100));
    if (random.below(3) === 0) {
      now += random.below(20);
      queue.fire(now);
      for (const each of timers) {
        assertEquals(each.deadline > now, true);
      }
    }
    const least = Math.min(...timers.map((each) => each.deadline));
    assertEquals(queue.nextDeadline(), least);
  }
});
