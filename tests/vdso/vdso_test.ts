/**
 * Runs build/vdso.so natively over pages that kernel/time/vdso_page.ts wrote,
 * and compares its clocks with the same sum done here. Needs `deno task build`.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { PAGE_SIZE } from "../../kernel/abi/mman.ts";
import {
  CONSTANTS,
  type VdsoParams,
  writeVdsoPage,
} from "../../kernel/time/vdso_page.ts";

const IMAGE = "build/vdso.so";
const SOURCE = new URL("read_vdso.c", import.meta.url).pathname;

async function run(command: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args })
    .output();
  if (code !== 0) {
    throw new Error(`${command}: ${code} ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}

/** Compiles the reader once, hands `body` a function that runs it. */
async function withReader(
  body: (read: (params: VdsoParams) => Promise<Reading>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const reader = `${dir}/read_vdso`;
    const flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"];
    await run("cc", [...flags, SOURCE, "-o", reader]);
    await body(async (params) => {
      const page = new Uint8Array(PAGE_SIZE);
      writeVdsoPage(new DataView(page.buffer), 0, params);
      await Deno.writeFile(`${dir}/page`, page);
      return parse(await run(reader, [`${dir}/page`, IMAGE]));
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

interface Reading {
  readonly before: bigint;
  readonly after: bigint;
  readonly monotonic: bigint;
  readonly realtime: bigint;
  readonly boottime: bigint;
  readonly timeOfDay: bigint;
  readonly time: bigint;
}

function parse(line: string): Reading {
  const [before, mono, real, boot, sec, usec, time, after] = line.trim().split(
    " ",
  );
  const ns = (clock = "") => BigInt(clock.replace(".", ""));
  return {
    before: BigInt(before ?? ""),
    after: BigInt(after ?? ""),
    monotonic: ns(mono),
    realtime: ns(real),
    boottime: ns(boot),
    timeOfDay: BigInt(sec ?? "") * 1_000_000n + BigInt(usec ?? ""),
    time: BigInt(time ?? ""),
  };
}

const PARAMS: VdsoParams = {
  mode: CONSTANTS.VDSO_MODE_TSC,
  tscLow: 0,
  tscHigh: 0,
  mult: 0x5a5a5a5a,
  shift: 32,
  monotonicSec: 1000,
  monotonicNsec: 999_999_999,
  realtimeSec: 1_700_000_000,
  realtimeNsec: 500_000_000,
  boottimeSec: 60,
  boottimeNsec: 250_000_000,
};

Deno.test("vdso.so extrapolates every clock along the page's line", async () => {
  await withReader(async (read) => {
    for (const shift of [32, 31, 30]) {
      const reading = await read({ ...PARAMS, shift });
      const at = (tsc: bigint) =>
        1_000_999_999_999n +
        ((tsc * BigInt(PARAMS.mult)) >> BigInt(shift));
      const [low, high] = [at(reading.before), at(reading.after)];
      const isBetween = (ns: bigint, offset: bigint) =>
        assert(
          ns - offset >= low && ns - offset <= high,
          `${ns - offset} is not in [${low}, ${high}]`,
        );
      isBetween(reading.monotonic, 0n);
      isBetween(reading.realtime, 1_700_000_000_500_000_000n);
      isBetween(reading.boottime, 60_250_000_000n);
      assert(reading.timeOfDay >= reading.realtime / 1000n);
      assertEquals(reading.time, reading.timeOfDay / 1_000_000n);
    }
  });
});

Deno.test("vdso.so stands still while the counter is behind the base", async () => {
  await withReader(async (read) => {
    const reading = await read({ ...PARAMS, tscHigh: 0x7fffffff });
    assertEquals(reading.monotonic, 1_000_999_999_999n);
  });
});

Deno.test("vdso.so asks the kernel when the page has no clock", async () => {
  await withReader(async (read) => {
    const before = BigInt(Math.floor(Date.now() / 1000));
    const reading = await read({
      ...PARAMS,
      mode: CONSTANTS.VDSO_MODE_SYSCALL,
    });
    const after = BigInt(Math.ceil(Date.now() / 1000));
    assert(reading.time >= before && reading.time <= after);
    assert(reading.boottime >= reading.monotonic);
  });
});
