/** A rectangle of an image. */
export interface Patch {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Where the input gradient is compared (a), and what is changed in between (b). */
export interface PatchPair {
  readonly a: Patch;
  readonly b: Patch;
}
