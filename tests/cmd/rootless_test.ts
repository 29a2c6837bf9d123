/** runsc as an ordinary user: user namespaces instead of privileges. */
import { assertEquals } from "@std/assert";
import { RUNSC } from "./command.ts";

const NOBODY = 65534;

/** Runs runsc as nobody, or as us if we are an ordinary user already. */
async function asOrdinaryUser(args: readonly string[]) {
  const cache = await Deno.makeTempDir();
  try {
    await Deno.chmod(cache, 0o777);
    const change = Deno.uid() !== 0 ? [] : [
      "setpriv",
      `--reuid=${NOBODY}`,
      `--regid=${NOBODY}`,
      "--clear-groups",
      "--",
    ];
    const [program, ...rest] = [...change, ...RUNSC, ...args];
    const { code, stdout, stderr } = await new Deno.Command(program!, {
      args: rest,
      env: { DENO_DIR: cache, HOME: cache },
      cwd: "/",
    }).output();
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

Deno.test("do works for an ordinary user, who is root inside", async () => {
  const script = "id -u; echo x > /etc/new && cat /etc/new; exit 9";
  assertEquals(await asOrdinaryUser(["do", "--", "sh", "-c", script]), {
    code: 9,
    stdout: "0\nx\n",
    stderr: "",
  });
});

Deno.test("do reads no more for an ordinary user than the host lets him", async () => {
  const script = "cat /etc/shadow 2>/dev/null || echo refused";
  const { stdout } = await asOrdinaryUser(["do", "--", "sh", "-c", script]);
  assertEquals(stdout, "refused\n");
});

Deno.test("--rootless=false refuses an ordinary user", async () => {
  assertEquals(await asOrdinaryUser(["--rootless=false", "do", "true"]), {
    code: 77,
    stdout: "",
    stderr: "runsc: --rootless=false needs root\n",
  });
});
