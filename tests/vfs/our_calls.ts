/**
 * Makes the calls of calls.ts on our own VFS and reports what each returned in
 * the words of host_calls.py: a value, or the negative error number.
 * @module
 */
import { ENOTDIR, type Errno, isErrno } from "../../kernel/abi/errno.ts";
import { O_DIRECTORY, O_NONBLOCK } from "../../kernel/abi/fcntl.ts";
import { FakeVfs, type VfsCaller } from "../../kernel/fs/fake_vfs.ts";
import { PipeFileSystem } from "../../kernel/fs/pipefs.ts";
import type { FileSystem } from "../../kernel/vfs/file_system.ts";
import type { Inode } from "../../kernel/vfs/inode.ts";
import type { PathWalk } from "../../kernel/vfs/path_walk.ts";
import { checkPermission, MAY_EXEC } from "../../kernel/vfs/permission.ts";
import type { NewTime } from "../../kernel/vfs/attributes.ts";
import { FOLLOW, NOFOLLOW } from "../../kernel/vfs/vfs_core.ts";
import type { Call } from "./calls.ts";

type Answer = string | number | null | readonly (string | number)[];

function answerOf(result: Answer | undefined | Errno): Answer {
  return isErrno(result) ? -result.code : result ?? null;
}

function show(inode: Inode): readonly number[] | Errno {
  const failed = inode.refresh();
  if (failed !== null) return failed;
  const size = inode.isDirectory ? 0 : inode.size;
  const { mode, nlink, uid, gid, rdev } = inode;
  return [mode, nlink, size, uid, gid, rdev];
}

/** Two callers on one tree, with working directories that move together. */
export class OurCalls {
  readonly #fake = new FakeVfs();
  readonly #callers: Readonly<Record<0 | 1000, VfsCaller>>;

  /** `makeRoot`: the file system at the root. */
  constructor(makeRoot: (fake: FakeVfs) => FileSystem) {
    const { vfs, host, memoryFile, caller } = this.#fake;
    const pipes = new PipeFileSystem({
      memory: host,
      pages: memoryFile,
      clock: caller.clock,
      device: vfs.newDevice(),
    });
    vfs.openFifo = (path, flags, who) => pipes.openFifo(path, flags, who);
    const options = { flags: 0, source: "none" };
    const mount = vfs.newNamespace(makeRoot(this.#fake), options);
    const root = mount.placeOf(mount.root);
    this.#callers = {
      0: this.#fake.newCaller(0),
      1000: this.#fake.newCaller(1000),
    };
    for (const { fsContext } of Object.values(this.#callers)) {
      fsContext.setRoot(root);
      fsContext.setCwd(root);
    }
  }

  make(call: Call): Answer {
    const caller = this.#callers[call.as];
    if (call.kind === "getcwd") return this.#getcwd(caller);
    const byName = this.#byName(call, caller);
    return answerOf(
      byName === undefined ? this.#byInode(call, caller) : byName,
    );
  }

  /** Calls that are about names; undefined for the others. */
  #byName(call: Call, caller: VfsCaller): Answer | Errno | undefined {
    const { vfs } = this.#fake;
    const at = caller.fsContext.cwd;
    const { path } = call;
    switch (call.kind) {
      case "open":
        return this.#open(call, caller);
      case "read": {
        const file = vfs.open(caller, at, path, { flags: O_NONBLOCK, mode: 0 });
        if (isErrno(file)) return file;
        const count = file.read(caller.room(4096), caller);
        file.release();
        return isErrno(count) ? count : caller.text(count);
      }
      case "mkdir":
        return vfs.mkdir(caller, at, path, call.mode);
      case "rmdir":
        return vfs.rmdir(caller, at, path);
      case "unlink":
        return vfs.unlink(caller, at, path);
      case "rename": {
        const to = { at, path: call.other };
        return vfs.rename(caller, { at, path }, to, call.flags);
      }
      case "link": {
        const options = call.follow ? FOLLOW : NOFOLLOW;
        const to = { at, path: call.other };
        return vfs.link(caller, { at, path }, options, to);
      }
      case "symlink":
        return vfs.symlink(caller, path, at, call.other);
      case "readlink":
        return vfs.readlink(caller, at, path, { allowEmpty: false });
      case "mknod": {
        const made = vfs.mknod(caller, at, path, call.mode, call.device);
        return isErrno(made) ? made : null;
      }
      case "list":
        return this.#list(path, caller);
      default:
        return undefined;
    }
  }

  #open(
    call: Call & { kind: "open" },
    caller: VfsCaller,
  ): Answer | Errno {
    const { vfs } = this.#fake;
    const file = vfs.open(caller, caller.fsContext.cwd, call.path, call);
    if (isErrno(file)) return file;
    const written = call.text === null
      ? "opened"
      : file.write(caller.source(call.text), caller);
    file.release();
    return written;
  }

  #list(path: string, caller: VfsCaller): Answer | Errno {
    const { vfs } = this.#fake;
    const how = { flags: O_DIRECTORY, mode: 0 };
    const file = vfs.open(caller, caller.fsContext.cwd, path, how);
    if (isErrno(file)) return file;
    const names: string[] = [];
    const failed = file.readDirectory({
      emit(name) {
        if (name !== "." && name !== "..") names.push(name);
        return true;
      },
    }, caller);
    file.release();
    return failed ?? names.sort();
  }

  /** Calls that walk to an inode and do something with it. */
  #byInode(call: Call, caller: VfsCaller): Answer | Errno {
    const { vfs } = this.#fake;
    const follow = "follow" in call ? call.follow : !LINKS.has(call.kind);
    const found = vfs.lookup(
      caller,
      caller.fsContext.cwd,
      call.path,
      follow ? FOLLOW : NOFOLLOW,
    );
    if (isErrno(found)) return found;
    const { mount, inode } = found;
    switch (call.kind) {
      case "stat":
        return show(inode);
      case "chmod":
        return vfs.chmod(mount, inode, call.mode, caller);
      case "chown":
        return vfs.chown(mount, inode, call.uid, call.gid, caller);
      case "truncate":
        return vfs.truncate(mount, inode, call.length, caller);
      case "access":
        return vfs.access(mount, inode, call.mode, caller.identity);
      case "setxattr": {
        const { name, flags } = call;
        const value = Uint8Array.of(0x76);
        return vfs.setXattr(mount, inode, name, value, flags, caller);
      }
      case "getxattr": {
        const value = vfs.getXattr(inode, call.name, caller.identity);
        return isErrno(value) ? value : String.fromCharCode(...value);
      }
      case "utimens":
        return vfs.utimens(
          mount,
          inode,
          timeOf(call.atime),
          timeOf(call.mtime),
          caller,
        );
      case "chdir":
        return this.#chdir(found, caller);
      default:
        throw new Error(`No such call: ${call.kind}`);
    }
  }

  #chdir({ mount, dentry, inode }: PathWalk, caller: VfsCaller): Errno | null {
    if (!inode.isDirectory) return ENOTDIR;
    const denied = checkPermission(caller.identity, inode, MAY_EXEC);
    if (denied !== null) return denied;
    const place = mount.placeOf(dentry);
    for (const each of Object.values(this.#callers)) {
      each.fsContext.setCwd(place);
    }
    return null;
  }

  #getcwd(caller: VfsCaller): Answer {
    const { root, cwd } = caller.fsContext;
    const name = this.#fake.vfs.nameOf(root, cwd);
    return name.isDeleted ? -2 : name.text;
  }
}

/** Calls that work on a symlink itself. */
const LINKS: ReadonlySet<Call["kind"]> = new Set([
  "setxattr",
  "getxattr",
  "utimens",
]);

function timeOf(sec: number | null): NewTime {
  return sec === null ? "now" : { sec, nsec: 0 };
}
