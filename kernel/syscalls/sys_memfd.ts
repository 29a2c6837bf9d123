/**
 * memfd_create(2). The files are in `../fs/tmpfs/memfd.ts`, the seals in
 * sys_fcntl.ts.
 * @module
 */
import { EINVAL, isErrno } from "../abi/errno.ts";
import {
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_HUGETLB,
  MFD_NAME_MAX,
  MFD_NOEXEC_SEAL,
} from "../abi/memfd.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import { defineSyscall, unimplemented } from "./syscall.ts";

const VALID_FLAGS = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC |
  MFD_NOEXEC_SEAL;

export const memfd_create = defineSyscall({
  name: "memfd_create",
  support: { partial: "MFD_HUGETLB fails with EINVAL" },
  args: { name: "path", flags: "uint" },
  run: (task, { name: address, flags }) => {
    if ((flags & MFD_HUGETLB) !== 0) {
      unimplemented(task, "memfd_create MFD_HUGETLB");
      return EINVAL;
    }
    if ((flags & ~VALID_FLAGS) !== 0) return EINVAL;
    const both = MFD_EXEC | MFD_NOEXEC_SEAL;
    if ((flags & both) === both) return EINVAL;
    const name = task.memory.readString(address, MFD_NAME_MAX + 1, EINVAL);
    if (isErrno(name)) return name;
    const isExecutable = (flags & MFD_NOEXEC_SEAL) === 0;
    const file = task.kernel.memfds.create(name, {
      canSeal: (flags & MFD_ALLOW_SEALING) !== 0 || !isExecutable,
      isExecutable,
    }, task);
    if (isErrno(file)) return file;
    const fd = task.fdTable.install(file, {
      closeOnExec: (flags & MFD_CLOEXEC) !== 0,
      limit: task.limit(RLIMIT_NOFILE),
    });
    if (isErrno(fd)) file.release(); // EMFILE
    return fd;
  },
});
