/**
 * getsockopt(2), setsockopt(2). Options live in `../socket/socket_options.ts`
 * and with their families.
 * @module
 */
import { EINVAL, ENOPROTOOPT, EOPNOTSUPP, isErrno } from "../abi/errno.ts";
import { socketOf } from "./socket_arguments.ts";
import { defineSyscall, unimplemented } from "./syscall.ts";

/** More than any option has. */
const MAX_OPTION = 4096;

export const getsockopt = defineSyscall({
  name: "getsockopt",
  support: { partial: "options that we lack fail with ENOPROTOOPT" },
  args: {
    sockfd: "fd",
    level: "int",
    optname: "int",
    optval: "addr",
    optlen: "addr",
  },
  run: (task, { sockfd, level, optname, optval, optlen }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    const space = task.memory.readI32(optlen);
    if (isErrno(space)) return space;
    if (space < 0) return EINVAL;
    const value = found.getOption(level, optname, task);
    if (isErrno(value)) {
      unimplemented(task, `getsockopt ${level}:${optname}`);
      return value;
    }
    const shown = value.subarray(0, Math.min(space, value.length));
    return task.memory.writeBytes(optval, shown) ??
      task.memory.writeU32(optlen, shown.length) ?? 0;
  },
});

export const setsockopt = defineSyscall({
  name: "setsockopt",
  support: { partial: "options that we lack fail with ENOPROTOOPT" },
  args: {
    sockfd: "fd",
    level: "int",
    optname: "int",
    optval: "addr",
    optlen: "int",
  },
  run: (task, { sockfd, level, optname, optval, optlen }) => {
    const found = socketOf(task, sockfd);
    if (isErrno(found)) return found;
    if (optlen < 0) return EINVAL;
    const value = new Uint8Array(Math.min(optlen, MAX_OPTION));
    const fault = task.memory.readBytes(optval, value);
    if (fault !== null) return fault;
    const failed = found.setOption(level, optname, value, task);
    if (failed === null) return 0;
    if (failed === ENOPROTOOPT || failed === EOPNOTSUPP) {
      unimplemented(task, `setsockopt ${level}:${optname}`);
    }
    return failed;
  },
});
