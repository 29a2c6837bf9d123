/**
 * A process that a command stays with: signals that we get go to it, a terminal
 * of ours is in raw mode meanwhile, and we end as it does.
 * @module
 */
import { AsyncReceiver } from "../../ffi/async_receiver.ts";
import { decodeFromSentry, MAX_MESSAGE_BYTES } from "../boot/messages.ts";
import { ExitStatus } from "../exit_status.ts";
import { RuntimeError } from "../runtime_error.ts";
import { RawTerminal, SignalForwarder } from "../sandbox/foreground.ts";
import { exitStatusOf } from "../sandbox/wait_status.ts";
import type { ControlClient } from "./control_client.ts";

/** Stays until the process ends: what a shell would call its exit status.
 * `control`: a connection that is told of it. */
export async function attend(
  control: ControlClient,
  pid: number,
  hasTerminal: boolean,
): Promise<number> {
  const target = {
    signal: (signo: number) => control.post({ call: "signal", pid, signo }),
    resize: () => control.post({ call: "resize" }),
  };
  using _signals = new SignalForwarder(target, hasTerminal);
  using _raw = hasTerminal ? new RawTerminal() : null;
  return exitStatusOf(await waitExit(control, pid));
}

/** The wait status of a process. */
async function waitExit(control: ControlClient, pid: number): Promise<number> {
  for (let early = control.takeEvent(); early !== null;) {
    if (early.event === "exited" && early.pid === pid) return early.status;
    early = control.takeEvent();
  }
  using receiver = new AsyncReceiver();
  for (;;) {
    const bytes = await receiver.receive(control.channel, MAX_MESSAGE_BYTES);
    if (bytes === null) {
      throw new RuntimeError(ExitStatus.SandboxDied, "the sandbox was killed");
    }
    const message = decodeFromSentry(bytes);
    if (!("event" in message)) continue;
    if (message.event === "exited" && message.pid === pid) {
      return message.status;
    }
    if (message.event === "failed") {
      throw new RuntimeError(ExitStatus.SandboxDied, message.message);
    }
  }
}
