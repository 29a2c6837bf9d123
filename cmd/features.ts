/**
 * `runsc features`: what of the OCI runtime specification is there, as JSON
 * (features.md), made from the tables that the other verbs use.
 * @module
 */
import { print } from "../ffi/say.ts";
import { ExitStatus } from "./exit_status.ts";
import { RUN_HOOK_POINTS } from "./container/hooks.ts";
import { MOUNT_OPTION_NAMES } from "./oci/mount_options.ts";
import { OCI_VERSION } from "./oci/version.ts";
import { CAPABILITY_NUMBERS } from "./sandbox/process_defaults.ts";
import { defineVerb } from "./verb.ts";
import { VERSION } from "./version.ts";

export const features = defineVerb({
  usage: "",
  description: "Prints what this runtime can do, as JSON.",
  flags: {},
  flagsEnd: "anywhere",
  run: () => {
    print(JSON.stringify(
      {
        ociVersionMin: "1.0.0",
        ociVersionMax: OCI_VERSION,
        hooks: RUN_HOOK_POINTS,
        mountOptions: MOUNT_OPTION_NAMES,
        linux: {
          namespaces: ["cgroup", "ipc", "mount", "network", "pid", "uts"],
          capabilities: [...CAPABILITY_NUMBERS.keys()],
          apparmor: { enabled: false },
          selinux: { enabled: false },
          seccomp: { enabled: false },
        },
        annotations: { "runsc.version": VERSION },
      },
      null,
      2,
    ));
    return ExitStatus.Ok;
  },
});
