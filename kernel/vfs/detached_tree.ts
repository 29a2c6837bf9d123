/**
 * An O_PATH descriptor of a mount that is in no namespace: what open_tree(2)
 * with OPEN_TREE_CLONE and fsmount(2) return. Source: open_tree(2), fsmount(2).
 * @module
 */
import { O_PATH } from "../abi/fcntl.ts";
import { PathDescription } from "./file_description.ts";
import type { Mount } from "./mount.ts";
import { detachTree } from "./mounting.ts";
import type { VfsCore } from "./vfs_core.ts";

export class DetachedTree extends PathDescription {
  readonly #core: VfsCore;

  /** Precondition: nothing else holds the tree. */
  constructor(core: VfsCore, tree: Mount) {
    super(tree.placeOf(tree.root), O_PATH);
    this.#core = core;
  }

  /** Still in no namespace: move_mount(2) may take it. */
  get isDetached(): boolean {
    const { mount } = this.path;
    return mount.isAttached && mount.parent === null;
  }

  protected override onClose(): void {
    if (this.isDetached) detachTree(this.#core, this.path.mount);
  }
}
