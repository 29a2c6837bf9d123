/** Terminals that an engine handles, by --console-socket. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { TestContainer } from "./bundle.ts";

/** Takes the master end of a terminal at a socket, sets a size, and prints what
 * comes until the terminal hangs up. */
const ENGINE = `
import array, fcntl, os, socket, struct, sys, termios
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
os.write(1, b"listening\\n")
connection, _ = listener.accept()
fds = array.array("i")
_, ancillary, _, _ = connection.recvmsg(64, socket.CMSG_SPACE(4))
fds.frombytes(ancillary[0][2])
size = lambda rows, cols: fcntl.ioctl(
    fds[0], termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
said = b""
while True:
    try:
        piece = os.read(fds[0], 4096)
    except OSError:
        break
    if b"up" in piece:
        size(33, 77)
    said += piece
    os.write(1, piece)
`;

const SCRIPT =
  "trap 'stty size; exit 3' WINCH; tty; echo up; while :; do sleep 0.05; done";

Deno.test("create sends the terminal, whose size reaches the program", async () => {
  const args = ["sh", "-c", SCRIPT];
  const env = ["PATH=/usr/bin:/bin"];
  await using box = new TestContainer(args, {
    process: { cwd: "/", env, args, terminal: true },
  });
  const socket = join(box.directory, "pty.sock");
  const engine = new Deno.Command("python3", {
    args: ["-c", ENGINE, socket],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines = engine.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assertEquals((await lines.read()).value, "listening\n");
  assertEquals((await box.create("--console-socket", socket)).code, 0);
  await box.runsc("start", box.id);
  let said = "";
  for (;;) {
    const { done, value } = await lines.read();
    if (done) break;
    said += value;
  }
  await engine.status;
  assertStringIncludes(said, "/dev/pts/0\r\nup\r\n");
  assertStringIncludes(said, "33 77\r\n");
  const { stdout } = await box.runsc("wait", box.id);
  assertEquals(JSON.parse(stdout).exitStatus, 3);
});

Deno.test("a detached terminal needs a socket, a socket a terminal", async () => {
  await using box = new TestContainer(["true"]);
  const { code } = await box.create("--console-socket", box.path("none"));
  assertEquals(code, 64);
  assertEquals(await box.status(), "absent");
});
