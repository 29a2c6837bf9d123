/**
 * Error numbers, as values: every function that can fail for the guest's sake
 * returns `T | Errno`. Source: uapi asm-generic/errno-base.h,
 * asm-generic/errno.h, linux/errno.h; errno(3).
 * @module
 */

/** One of Linux's errors. There is exactly one frozen instance per error. */
export class Errno {
  /** Linux's spelling, such as `ENOENT`. */
  readonly name: string;
  /** The positive number; a system call returns its negative. */
  readonly code: number;

  /** Precondition: called by this module only; compare errors by identity. */
  constructor(name: string, code: number) {
    this.name = name;
    this.code = code;
    Object.freeze(this);
  }

  /** The name, for logs. */
  toString(): string {
    return this.name;
  }
}

const byCode: Errno[] = [];

function define(name: string, code: number): Errno {
  const errno = new Errno(name, code);
  byCode[code] = errno;
  return errno;
}

/** Whether a `T | Errno` result is the failure. */
export function isErrno(value: unknown): value is Errno {
  return value instanceof Errno;
}

/**
 * The error that a host call reported, as `errno` or `-errno`. A number that
 * Linux doesn't hand out becomes EIO.
 */
export function errnoFromCode(code: number): Errno {
  const positive = Math.abs(code);
  return (positive <= LAST_PUBLIC_CODE ? byCode[positive] : undefined) ?? EIO;
}

const LAST_PUBLIC_CODE = 133;

export const EPERM: Errno = define("EPERM", 1);
export const ENOENT: Errno = define("ENOENT", 2);
export const ESRCH: Errno = define("ESRCH", 3);
export const EINTR: Errno = define("EINTR", 4);
export const EIO: Errno = define("EIO", 5);
export const ENXIO: Errno = define("ENXIO", 6);
export const E2BIG: Errno = define("E2BIG", 7);
export const ENOEXEC: Errno = define("ENOEXEC", 8);
export const EBADF: Errno = define("EBADF", 9);
export const ECHILD: Errno = define("ECHILD", 10);
export const EAGAIN: Errno = define("EAGAIN", 11);
export const ENOMEM: Errno = define("ENOMEM", 12);
export const EACCES: Errno = define("EACCES", 13);
export const EFAULT: Errno = define("EFAULT", 14);
export const ENOTBLK: Errno = define("ENOTBLK", 15);
export const EBUSY: Errno = define("EBUSY", 16);
export const EEXIST: Errno = define("EEXIST", 17);
export const EXDEV: Errno = define("EXDEV", 18);
export const ENODEV: Errno = define("ENODEV", 19);
export const ENOTDIR: Errno = define("ENOTDIR", 20);
export const EISDIR: Errno = define("EISDIR", 21);
export const EINVAL: Errno = define("EINVAL", 22);
export const ENFILE: Errno = define("ENFILE", 23);
export const EMFILE: Errno = define("EMFILE", 24);
export const ENOTTY: Errno = define("ENOTTY", 25);
export const ETXTBSY: Errno = define("ETXTBSY", 26);
export const EFBIG: Errno = define("EFBIG", 27);
export const ENOSPC: Errno = define("ENOSPC", 28);
export const ESPIPE: Errno = define("ESPIPE", 29);
export const EROFS: Errno = define("EROFS", 30);
export const EMLINK: Errno = define("EMLINK", 31);
export const EPIPE: Errno = define("EPIPE", 32);
export const EDOM: Errno = define("EDOM", 33);
export const ERANGE: Errno = define("ERANGE", 34);

export const EDEADLK: Errno = define("EDEADLK", 35);
export const ENAMETOOLONG: Errno = define("ENAMETOOLONG", 36);
export const ENOLCK: Errno = define("ENOLCK", 37);
export const ENOSYS: Errno = define("ENOSYS", 38);
export const ENOTEMPTY: Errno = define("ENOTEMPTY", 39);
export const ELOOP: Errno = define("ELOOP", 40);
export const ENOMSG: Errno = define("ENOMSG", 42);
export const EIDRM: Errno = define("EIDRM", 43);
export const ECHRNG: Errno = define("ECHRNG", 44);
export const EL2NSYNC: Errno = define("EL2NSYNC", 45);
export const EL3HLT: Errno = define("EL3HLT", 46);
export const EL3RST: Errno = define("EL3RST", 47);
export const ELNRNG: Errno = define("ELNRNG", 48);
export const EUNATCH: Errno = define("EUNATCH", 49);
export const ENOCSI: Errno = define("ENOCSI", 50);
export const EL2HLT: Errno = define("EL2HLT", 51);
export const EBADE: Errno = define("EBADE", 52);
export const EBADR: Errno = define("EBADR", 53);
export const EXFULL: Errno = define("EXFULL", 54);
export const ENOANO: Errno = define("ENOANO", 55);
export const EBADRQC: Errno = define("EBADRQC", 56);
export const EBADSLT: Errno = define("EBADSLT", 57);
export const EBFONT: Errno = define("EBFONT", 59);
export const ENOSTR: Errno = define("ENOSTR", 60);
export const ENODATA: Errno = define("ENODATA", 61);
export const ETIME: Errno = define("ETIME", 62);
export const ENOSR: Errno = define("ENOSR", 63);
export const ENONET: Errno = define("ENONET", 64);
export const ENOPKG: Errno = define("ENOPKG", 65);
export const EREMOTE: Errno = define("EREMOTE", 66);
export const ENOLINK: Errno = define("ENOLINK", 67);
export const EADV: Errno = define("EADV", 68);
export const ESRMNT: Errno = define("ESRMNT", 69);
export const ECOMM: Errno = define("ECOMM", 70);
export const EPROTO: Errno = define("EPROTO", 71);
export const EMULTIHOP: Errno = define("EMULTIHOP", 72);
export const EDOTDOT: Errno = define("EDOTDOT", 73);
export const EBADMSG: Errno = define("EBADMSG", 74);
export const EOVERFLOW: Errno = define("EOVERFLOW", 75);
export const ENOTUNIQ: Errno = define("ENOTUNIQ", 76);
export const EBADFD: Errno = define("EBADFD", 77);
export const EREMCHG: Errno = define("EREMCHG", 78);
export const ELIBACC: Errno = define("ELIBACC", 79);
export const ELIBBAD: Errno = define("ELIBBAD", 80);
export const ELIBSCN: Errno = define("ELIBSCN", 81);
export const ELIBMAX: Errno = define("ELIBMAX", 82);
export const ELIBEXEC: Errno = define("ELIBEXEC", 83);
export const EILSEQ: Errno = define("EILSEQ", 84);
export const ERESTART: Errno = define("ERESTART", 85);
export const ESTRPIPE: Errno = define("ESTRPIPE", 86);
export const EUSERS: Errno = define("EUSERS", 87);
export const ENOTSOCK: Errno = define("ENOTSOCK", 88);
export const EDESTADDRREQ: Errno = define("EDESTADDRREQ", 89);
export const EMSGSIZE: Errno = define("EMSGSIZE", 90);
export const EPROTOTYPE: Errno = define("EPROTOTYPE", 91);
export const ENOPROTOOPT: Errno = define("ENOPROTOOPT", 92);
export const EPROTONOSUPPORT: Errno = define("EPROTONOSUPPORT", 93);
export const ESOCKTNOSUPPORT: Errno = define("ESOCKTNOSUPPORT", 94);
export const EOPNOTSUPP: Errno = define("EOPNOTSUPP", 95);
export const EPFNOSUPPORT: Errno = define("EPFNOSUPPORT", 96);
export const EAFNOSUPPORT: Errno = define("EAFNOSUPPORT", 97);
export const EADDRINUSE: Errno = define("EADDRINUSE", 98);
export const EADDRNOTAVAIL: Errno = define("EADDRNOTAVAIL", 99);
export const ENETDOWN: Errno = define("ENETDOWN", 100);
export const ENETUNREACH: Errno = define("ENETUNREACH", 101);
export const ENETRESET: Errno = define("ENETRESET", 102);
export const ECONNABORTED: Errno = define("ECONNABORTED", 103);
export const ECONNRESET: Errno = define("ECONNRESET", 104);
export const ENOBUFS: Errno = define("ENOBUFS", 105);
export const EISCONN: Errno = define("EISCONN", 106);
export const ENOTCONN: Errno = define("ENOTCONN", 107);
export const ESHUTDOWN: Errno = define("ESHUTDOWN", 108);
export const ETOOMANYREFS: Errno = define("ETOOMANYREFS", 109);
export const ETIMEDOUT: Errno = define("ETIMEDOUT", 110);
export const ECONNREFUSED: Errno = define("ECONNREFUSED", 111);
export const EHOSTDOWN: Errno = define("EHOSTDOWN", 112);
export const EHOSTUNREACH: Errno = define("EHOSTUNREACH", 113);
export const EALREADY: Errno = define("EALREADY", 114);
export const EINPROGRESS: Errno = define("EINPROGRESS", 115);
export const ESTALE: Errno = define("ESTALE", 116);
export const EUCLEAN: Errno = define("EUCLEAN", 117);
export const ENOTNAM: Errno = define("ENOTNAM", 118);
export const ENAVAIL: Errno = define("ENAVAIL", 119);
export const EISNAM: Errno = define("EISNAM", 120);
export const EREMOTEIO: Errno = define("EREMOTEIO", 121);
export const EDQUOT: Errno = define("EDQUOT", 122);
export const ENOMEDIUM: Errno = define("ENOMEDIUM", 123);
export const EMEDIUMTYPE: Errno = define("EMEDIUMTYPE", 124);
export const ECANCELED: Errno = define("ECANCELED", 125);
export const ENOKEY: Errno = define("ENOKEY", 126);
export const EKEYEXPIRED: Errno = define("EKEYEXPIRED", 127);
export const EKEYREVOKED: Errno = define("EKEYREVOKED", 128);
export const EKEYREJECTED: Errno = define("EKEYREJECTED", 129);
export const EOWNERDEAD: Errno = define("EOWNERDEAD", 130);
export const ENOTRECOVERABLE: Errno = define("ENOTRECOVERABLE", 131);
export const ERFKILL: Errno = define("ERFKILL", 132);
export const EHWPOISON: Errno = define("EHWPOISON", 133);

// Other spellings of the same errors.
export const EWOULDBLOCK = EAGAIN;
export const EDEADLOCK = EDEADLK;
export const ENOTSUP = EOPNOTSUPP;

// Never seen by the guest: what a handler interrupted by a signal returns, and
// how the call is restarted (linux/errno.h of the kernel itself).
/** Restart the call if the handler has SA_RESTART, else EINTR. */
export const ERESTARTSYS: Errno = define("ERESTARTSYS", 512);
/** Always restart the call. */
export const ERESTARTNOINTR: Errno = define("ERESTARTNOINTR", 513);
/** Restart the call if no handler runs, else EINTR. */
export const ERESTARTNOHAND: Errno = define("ERESTARTNOHAND", 514);
/** Restart by restart_syscall(2) if no handler runs, else EINTR. */
export const ERESTART_RESTARTBLOCK: Errno = define(
  "ERESTART_RESTARTBLOCK",
  516,
);
