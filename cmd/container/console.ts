/**
 * A terminal for a container that an engine handles: it gets the master end, by
 * way of a socket (runc's console-socket protocol: a connection, one message
 * with the descriptor); the sandbox works on the other one.
 * @module
 */
import { ControlSockets } from "../../ffi/control_socket.ts";
import { DescriptorMaker } from "../../ffi/files.ts";
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import { Terminals } from "../../ffi/terminals.ts";
import { errnoFromCode } from "../../kernel/abi/errno.ts";
import type { HostFd } from "../../kernel/host.ts";
import { ExitStatus } from "../exit_status.ts";
import type { OciProcess } from "../oci/process.ts";
import { RuntimeError } from "../runtime_error.ts";

/** What stands in the message beside the descriptor. */
const MASTER_NAME = "/dev/ptmx";

/** Makes a terminal and sends its master end to the socket; the other end,
 * which is the caller's. Throws a RuntimeError. */
export function openConsole(
  socketPath: string,
  size: OciProcess["consoleSize"],
): HostFd {
  using terminals = new Terminals("brief");
  using descriptors = new DescriptorMaker("brief");
  const [master, slave] = terminals.openPair();
  try {
    // The container's own terminal does what a terminal does; this one only
    // carries bytes.
    terminals.makeRaw(slave);
    if (size !== undefined) {
      terminals.setWindowSize(slave, size.height, size.width);
    }
    send(descriptors, socketPath, master);
    return slave;
  } catch (thrown) {
    descriptors.close(slave);
    throw thrown;
  } finally {
    descriptors.close(master);
  }
}

function send(
  descriptors: DescriptorMaker,
  socketPath: string,
  master: HostFd,
): void {
  using sockets = new ControlSockets("brief");
  using channels = new GoferChannels("brief");
  const socket = sockets.connect(socketPath, "stream");
  if (socket < 0) {
    throw new RuntimeError(
      ExitStatus.NoInput,
      `--console-socket ${socketPath}: ${errnoFromCode(socket).name}`,
    );
  }
  const name = new TextEncoder().encode(MASTER_NAME);
  const error = channels.send(socket, name, name.length, [master]);
  descriptors.close(socket);
  if (error < 0) {
    throw new RuntimeError(
      ExitStatus.Failure,
      `--console-socket ${socketPath}: ${errnoFromCode(error).name}`,
    );
  }
}
