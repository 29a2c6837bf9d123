/**
 * For tests: a file server over a temporary directory, served by the test's
 * own thread each time its client sends something.
 * @module
 */
import { GoferChannels } from "../ffi/gofer_channel.ts";
import { GoferFiles } from "../ffi/gofer_files.ts";
import type { GoferNode, GoferNodeId, GoferRoot } from "./client.ts";
import { Connection, MessageBuffers } from "./connection.ts";
import { openMount } from "./server.ts";
import { RemoteGofer } from "./remote_gofer.ts";
import { channelTransport, type GoferTransport } from "./transport.ts";

/** A client, its server, and the directory that both look at. */
export class GoferFixture implements Disposable {
  /** What the guest may see. */
  readonly dir: string;
  /** Its parent, which holds a file `secret`. */
  readonly outside: string;
  readonly files = new GoferFiles();
  readonly channels = new GoferChannels();
  readonly connection: Connection;
  /** The client's end. */
  readonly channel: number;
  readonly gofer: RemoteGofer;
  readonly transport: GoferTransport;
  readonly lost: string[] = [];
  /** Runs before each request is served: the host's part in a race. */
  beforeServe: () => void = () => {};
  #isOver = false;

  constructor(
    options: { maxFds?: number; maxNodes?: number; isReadOnly?: boolean } = {},
  ) {
    this.outside = Deno.makeTempDirSync({ prefix: "gofer_" });
    this.dir = `${this.outside}/root`;
    Deno.mkdirSync(this.dir);
    Deno.writeTextFileSync(`${this.outside}/secret`, "secret");
    this.files.prepare();
    const [ours, theirs] = this.channels.pair();
    this.channel = ours;
    this.connection = new Connection(
      theirs,
      this.channels,
      this.files,
      new MessageBuffers(),
      [openMount(this.files, {
        name: "root",
        path: this.dir,
        isReadOnly: options.isReadOnly ?? false,
      })],
      { maxFds: options.maxFds ?? 256, maxNodes: options.maxNodes ?? 10_000 },
    );
    const inner = channelTransport(this.channels, ours, {
      spinUs: 0,
      closeFd: (fd) => this.files.close(fd),
    });
    this.transport = {
      call: (request, length, reply, fds) => {
        const sent = inner.post(request, length);
        if (sent < 0) return sent;
        this.serve();
        return this.channels.receive(ours, reply, fds, { spinUs: 0 });
      },
      post: (request, length) => {
        const sent = inner.post(request, length);
        if (sent === 0) this.serve();
        return sent;
      },
      discard: inner.discard,
    };
    this.gofer = new RemoteGofer(this.transport);
    this.gofer.onConnectionLost = (reason) => this.lost.push(reason);
  }

  /** Lets the server take one message; false once the connection is over. */
  serve(): boolean {
    if (this.#isOver) return false;
    this.beforeServe();
    if (this.connection.serveNext(0)) return true;
    this.#isOver = true;
    this.connection.dispose();
    return false;
  }

  attach(): GoferRoot {
    return must(this.gofer.attach("root"));
  }

  /** Walks a path that exists, of real directories. */
  find(root: GoferNodeId, path: string): GoferNode {
    const names = path.split("/");
    const walk = must(this.gofer.walk(root, names));
    if (walk.nodes.length !== names.length) {
      throw new Error(`${path}: found ${walk.nodes.length}, ${walk.error}`);
    }
    return walk.nodes.at(-1)!;
  }

  /** Text of a donated descriptor, which is closed. */
  readFd(fd: number): string {
    const text = Deno.readTextFileSync(`/proc/self/fd/${fd}`);
    this.files.close(fd);
    return text;
  }

  [Symbol.dispose](): void {
    if (!this.#isOver) this.connection.dispose();
    this.files.close(this.connection.session.mounts.get("root")!.fd);
    this.files.close(this.channel);
    this.files[Symbol.dispose]();
    this.channels[Symbol.dispose]();
    Deno.removeSync(this.outside, { recursive: true });
  }
}

/** The result of a call that must not fail. */
export function must<T>(result: T | number): T {
  if (typeof result === "number" && result < 0) {
    throw new Error(`unexpected errno ${-result}`);
  }
  return result as T;
}

/** Descriptors that this process has open. */
export function openFdCount(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}
