/** `runsc do`: a program of this host, in a sandbox. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { runsc } from "./command.ts";

Deno.test("do passes streams, status and arguments through", async () => {
  assertEquals(
    await runsc([
      "do",
      "--",
      "sh",
      "-c",
      'cat; echo "$1" >&2; exit 3',
      "x",
      "-y",
    ], {
      stdin: "a line\n",
    }),
    { code: 3, stdout: "a line\n", stderr: "-y\n" },
  );
});

Deno.test("do exits with 128 + the signal that ended the program", async () => {
  const { code } = await runsc(["do", "--", "sh", "-c", "kill -TERM $$"]);
  assertEquals(code, 143);
});

Deno.test("do keeps directory and environment, and takes --env and --cwd", async () => {
  const dir = await Deno.realPath(await Deno.makeTempDir());
  try {
    const print = ["sh", "-c", 'pwd; echo "$A-$HOME"'];
    const kept = await runsc(["do", "-e", "A=b c", "--", ...print], {
      cwd: dir,
    });
    const home = Deno.env.get("HOME") ?? "";
    assertEquals(kept.stdout, `${dir}\nb c-${home}\n`);
    const moved = await runsc(["do", "--cwd", "/usr", "--", "pwd"]);
    assertEquals(moved.stdout, "/usr\n");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("do shows the host's files and keeps changes to itself", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(dir, "old"), "old\n");
    const script =
      "cat old; echo new > old; echo more > new; rm -r /etc/passwd;" +
      " cat old new; ls";
    const { code, stdout } = await runsc(["do", "--", "sh", "-c", script], {
      cwd: dir,
    });
    assertEquals([code, stdout], [0, "old\nnew\nmore\nnew\nold\n"]);
    assertEquals(await Deno.readTextFile(join(dir, "old")), "old\n");
    assertEquals([...Deno.readDirSync(dir)].length, 1);
    assertEquals(Deno.statSync("/etc/passwd").isFile, true);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("do shares what --volume names", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const write = "echo in > /mnt/x && cat /mnt/x";
    const shared = await runsc([
      "do",
      `--volume=${dir}:/mnt`,
      "--",
      "sh",
      "-c",
      write,
    ]);
    assertEquals(shared.stdout, "in\n");
    assertEquals(await Deno.readTextFile(join(dir, "x")), "in\n");
    const refused = await runsc([
      "do",
      `--volume=${dir}:/mnt:ro`,
      "--",
      "sh",
      "-c",
      write,
    ]);
    assertStringIncludes(refused.stderr, "Read-only file system");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("do runs as the user and group that it is told", async () => {
  const { stdout } = await runsc([
    "do",
    "--uid=1000",
    "--gid=50",
    "--",
    "sh",
    "-c",
    "id -u; id -g; grep CapEff /proc/self/status",
  ]);
  assertEquals(stdout, "1000\n50\nCapEff:\t0000000000000000\n");
});

Deno.test("do says in one line why a program cannot run", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const truncated = join(dir, "truncated");
    const image = await Deno.readFile("/bin/true");
    await Deno.writeFile(truncated, image.subarray(0, 3000), { mode: 0o755 });
    const cases: [string[], number, RegExp][] = [
      [["no-such"], 127, /^runsc: no-such: executable file not found: .*\n$/],
      [["/etc/passwd"], 126, /^runsc: \/etc\/passwd: permission denied\n$/],
      [["/usr"], 126, /^runsc: \/usr: permission denied\n$/],
      [[truncated], 126, /^runsc: .*truncated: .*ENOEXEC.*\n$/],
    ];
    for (const [program, status, message] of cases) {
      const { code, stderr } = await runsc(["do", "--", ...program]);
      assertEquals(code, status);
      assertMatch(stderr, message);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("do names the flag that is wrong", async () => {
  const cases: [string[], number, string][] = [
    [["--nope", "ls"], 64, "runsc: unknown flag --nope\n"],
    [[], 64, "runsc: do needs a program to run\n"],
    [["--env", "x", "ls"], 64, 'runsc: flag --env takes NAME=VALUE, not "x"\n'],
    [
      ["--root", "/nowhere", "ls"],
      66,
      "runsc: --root /nowhere: no such file or directory\n",
    ],
    [
      ["--volume", "/nowhere", "ls"],
      66,
      "runsc: --volume /nowhere: no such file or directory\n",
    ],
  ];
  for (const [args, code, stderr] of cases) {
    assertEquals(await runsc(["do", ...args]), { code, stdout: "", stderr });
  }
});

Deno.test("do --debug prints the boot steps, --strace the system calls", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const log = join(dir, "log");
    const { code, stderr } = await runsc([
      "--debug",
      "--strace",
      `--debug-log=${log}`,
      "do",
      "true",
    ]);
    assertEquals(code, 0);
    assertMatch(stderr, /runsc: +[0-9.]+ ms {2}sentry {2}filter\n/);
    const lines = await Deno.readTextFile(log);
    assertMatch(lines, /strace: \[1\] true: exit_group\(0\)/);
    assertMatch(lines, /debug: [0-9]+ system calls\n/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
