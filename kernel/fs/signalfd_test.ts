import { assertEquals, assertStrictEquals } from "@std/assert";
import { EAGAIN, EINVAL } from "../abi/errno.ts";
import { POLLIN } from "../abi/poll.ts";
import {
  CLD_EXITED,
  SI_QUEUE,
  SI_USER,
  SIGCHLD,
  SIGINFO,
  SIGUSR1,
} from "../abi/signal.ts";
import { SIGNALFD_SIGINFO } from "../abi/signalfd.ts";
import { Waiter, WaitQueue } from "../sync/wait_queue.ts";
import { AnonInodes } from "./anon_inode.ts";
import { FakeCaller } from "./fake_caller.ts";
import {
  SignalFdDescription,
  type SignalRecord,
  type SignalSource,
} from "./signalfd.ts";

class FakeSource implements SignalSource {
  readonly queues = [new WaitQueue()];
  readonly pending: SignalRecord[] = [];
  hasPending(low: number): boolean {
    return this.pending.some(({ signo }) => (low & (1 << (signo - 1))) !== 0);
  }
  take(low: number): SignalRecord | null {
    const index = this.pending.findIndex(({ signo }) =>
      (low & (1 << (signo - 1))) !== 0
    );
    return index < 0 ? null : this.pending.splice(index, 1)[0]!;
  }
}

class CountingWaiter extends Waiter {
  count = 0;
  override notify(): boolean {
    this.count++;
    return true;
  }
}

function setUp(...signals: number[]) {
  const caller = new FakeCaller();
  const source = new FakeSource();
  const inodes = new AnonInodes({ device: 1, clock: caller.clock });
  const file = new SignalFdDescription(inodes, {
    maskLow: signals.reduce((mask, signo) => mask | (1 << (signo - 1)), 0),
    maskHigh: 0,
    flags: 0,
    sourceOf: () => source,
    caller,
  });
  return { caller, source, file };
}

/** siginfo_t's bytes from 12 on, with 32-bit words at these offsets. */
function payload(words: Record<number, number>): Uint8Array {
  const bytes = new Uint8Array(116);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of Object.entries(words)) {
    view.setInt32(Number(at) - 12, value, true);
  }
  return bytes;
}

Deno.test("SignalFdDescription reads the signals of its mask only", () => {
  const { caller, source, file } = setUp(SIGUSR1, SIGCHLD);
  assertStrictEquals(file.read(caller.room(128), caller), EAGAIN);
  assertStrictEquals(file.read(caller.room(127), caller), EINVAL);
  const waiter = new CountingWaiter();
  file.queue.add(waiter, POLLIN);
  source.pending.push(
    { signo: 2, code: SI_USER, errno: 0, payload: null },
    {
      signo: SIGUSR1,
      code: SI_QUEUE,
      errno: 0,
      payload: payload({ [SIGINFO.si_pid]: 42, [SIGINFO.si_int]: -7 }),
    },
    {
      signo: SIGCHLD,
      code: CLD_EXITED,
      errno: 0,
      payload: payload({ [SIGINFO.si_pid]: 43, [SIGINFO.si_status]: 9 }),
    },
  );
  source.queues[0]!.wake();
  assertEquals(waiter.count, 1);
  assertEquals(file.readiness() & POLLIN, POLLIN);
  assertEquals(file.read(caller.room(300), caller), 256);
  const at = 1 << 19;
  const word = (offset: number) => caller.memory.readI32(at + offset);
  assertEquals(word(SIGNALFD_SIGINFO.ssi_signo), SIGUSR1);
  assertEquals(word(SIGNALFD_SIGINFO.ssi_pid), 42);
  assertEquals(word(SIGNALFD_SIGINFO.ssi_int), -7);
  assertEquals(word(128 + SIGNALFD_SIGINFO.ssi_pid), 43);
  assertEquals(word(128 + SIGNALFD_SIGINFO.ssi_status), 9);
  assertEquals(word(128 + SIGNALFD_SIGINFO.ssi_int), 0);
  assertEquals(file.readiness(), 0);
  file.setMask(1 << 1, 0);
  assertEquals(file.readiness() & POLLIN, POLLIN);
});

Deno.test("Closing a SignalFdDescription leaves the task's queue", () => {
  const { source, file } = setUp(SIGUSR1);
  file.release();
  assertEquals(source.queues[0]!.isEmpty, true);
});
