/**
 * The version of the OCI runtime specification that we follow.
 * @module
 */

/** What `spec` writes and `--version` prints. */
export const OCI_VERSION = "1.2.0";
