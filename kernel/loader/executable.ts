/**
 * The first half of execve(2): from a file to everything that must be known
 * before the old program is given up. Follows `#!` lines, reads the ELF headers
 * of the program and of its interpreter. Errors from here are the caller's to
 * return; load.ts is the half behind the point of no return.
 *
 * Source: execve(2); fs/exec.c, fs/binfmt_elf.c, fs/binfmt_script.c.
 * @module
 */
import {
  EACCES,
  EIO,
  ELIBBAD,
  ELOOP,
  ENOEXEC,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { ELF64_EHDR_SIZE } from "../abi/elf.ts";
import { BINPRM_BUF_SIZE } from "../abi/limits.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { HostMemory } from "../host.ts";
import { type Mappable, Translation } from "../mm/mappable.ts";
import type { ByteString } from "../mm/user_memory.ts";
import { checkArguments, type ProgramArguments } from "./auxv.ts";
import {
  type ElfImage,
  isElf,
  readElf,
  type ReadExactly,
  readInterp,
} from "./elf.ts";
import { isScript, parseScript, scriptArguments } from "./script.ts";

/** How many `#!` files may lead to one another. */
const MAX_SCRIPT_DEPTH = 5;

/** An open file that may be executed. */
export interface ExecutableFile {
  readonly sizeBytes: number;
  readonly mappable: Mappable;
  /** Drops the reference that opening it gave. */
  release(): void;
}

/** What the loader may ask of the VFS. */
export interface ExecutableOpener<File extends ExecutableFile> {
  /**
   * Opens an interpreter for execution, as the calling task: EACCES if it is
   * no regular file, not executable, or on a noexec mount; ETXTBSY; and the
   * errors of path resolution. Never called with an empty path.
   */
  open(path: ByteString): File | Errno;
}

/** A program and, if it asks for one, its interpreter. Owns their files. */
export class Executable<File extends ExecutableFile> implements Disposable {
  constructor(
    /** The program proper: behind a script, what runs it. Its set-user-ID bit
     * counts, and /proc/pid/exe leads to it. */
    readonly file: File,
    readonly image: ElfImage,
    readonly interpreter: {
      readonly file: File;
      readonly image: ElfImage;
    } | null,
    /** With the arguments that scripts have put in front. */
    readonly args: ProgramArguments,
  ) {}

  [Symbol.dispose](): void {
    this.file.release();
    this.interpreter?.file.release();
  }
}

/** Reads file bytes through the page cache; EIO at the end of the file. */
function reader(memory: HostMemory, file: ExecutableFile): ReadExactly {
  const translation = new Translation();
  return (offset, into) => {
    if (offset + into.length > file.sizeBytes) return EIO;
    let done = 0;
    while (done < into.length) {
      const at = offset + done;
      const skip = at % PAGE_SIZE;
      const length = Math.ceil((skip + into.length - done) / PAGE_SIZE) *
        PAGE_SIZE;
      const failure = file.mappable.translate(
        at - skip,
        length,
        false,
        translation,
      );
      if (failure !== null) return EIO;
      const count = Math.min(into.length - done, translation.length - skip);
      memory.read(translation.offset + skip, into.subarray(done, done + count));
      done += count;
    }
    return null;
  };
}

/** The first bytes of a file, fewer if it is shorter. */
function readHead(
  read: ReadExactly,
  file: ExecutableFile,
): Uint8Array | Errno {
  const head = new Uint8Array(Math.min(BINPRM_BUF_SIZE, file.sizeBytes));
  return read(0, head) ?? head;
}

/**
 * Finds out how to run `file`, which was reached by the path `args.execfn`.
 * Takes over its reference, also when it fails. `stackLimit`: RLIMIT_STACK in
 * bytes, Infinity if unlimited.
 *
 * E2BIG: arguments too long. ENOEXEC: no format that we know. ELOOP: scripts
 * lead to scripts too often. ELIBBAD: the interpreter of an ELF file is no ELF
 * file for this machine. EIO: cut off or unreadable. Otherwise what `opener`
 * says of interpreters.
 */
export function openExecutable<File extends ExecutableFile>(
  memory: HostMemory,
  opener: ExecutableOpener<File>,
  file: File,
  args: ProgramArguments,
  stackLimit: number,
): Executable<File> | Errno {
  const tooBig = checkArguments(args, stackLimit);
  if (tooBig !== null) {
    file.release();
    return tooBig;
  }
  let program = file;
  let argv = args.argv;
  let path = args.execfn;
  for (let depth = 0;; depth++) {
    const next = depth > MAX_SCRIPT_DEPTH
      ? ELOOP
      : readProgram(memory, opener, program);
    if (isErrno(next)) {
      program.release();
      return next;
    }
    if (!("script" in next)) {
      const all = { ...args, argv };
      const failure = checkArguments(all, stackLimit);
      const result = new Executable(
        program,
        next.image,
        next.interpreter,
        all,
      );
      if (failure === null) return result;
      result[Symbol.dispose]();
      return failure;
    }
    argv = scriptArguments(next.script, path, argv);
    path = next.script.interpreter;
    const runner = openRunner(opener, path);
    program.release();
    if (isErrno(runner)) return runner;
    program = runner;
  }
}

/** Opens an interpreter. An empty path means the current directory here, where
 * nobody has asked for ENOENT: EACCES, since that is no regular file. */
function openRunner<File extends ExecutableFile>(
  opener: ExecutableOpener<File>,
  path: ByteString,
): File | Errno {
  return path === "" ? EACCES : opener.open(path);
}

/** What a single file is: a script, or a program with its interpreter. */
function readProgram<File extends ExecutableFile>(
  memory: HostMemory,
  opener: ExecutableOpener<File>,
  file: File,
) {
  const read = reader(memory, file);
  const head = readHead(read, file);
  if (isErrno(head)) return head;
  if (isScript(head)) {
    const script = parseScript(head);
    return isErrno(script) ? script : { script };
  }
  if (!isElf(head)) return ENOEXEC;
  const image = readElf(head, read);
  if (isErrno(image)) return image;
  const interp = readInterp(image, read);
  if (isErrno(interp)) return interp;
  if (interp === null) return { image, interpreter: null };
  const interpreter = openInterpreter(memory, opener, interp);
  return isErrno(interpreter) ? interpreter : { image, interpreter };
}

function openInterpreter<File extends ExecutableFile>(
  memory: HostMemory,
  opener: ExecutableOpener<File>,
  path: ByteString,
): { readonly file: File; readonly image: ElfImage } | Errno {
  const file = openRunner(opener, path);
  if (isErrno(file)) return file;
  const read = reader(memory, file);
  const head = new Uint8Array(ELF64_EHDR_SIZE);
  const image = read(0, head) ?? readElf(head, read);
  if (!isErrno(image)) return { file, image };
  file.release();
  return image === EIO ? EIO : ELIBBAD;
}
