/**
 * UTS namespace: host name and domain name (uts_namespaces(7)).
 * @module
 */
import type { ByteString } from "../mm/user_memory.ts";

export class UtsNamespace {
  constructor(public hostname: ByteString, public domainname: ByteString) {}
}
