/** Why a fit ended before its last scheduled epoch. */
export const stopKinds = ["rule", "timeout", "not-finite", "interrupted"] as const;
/**
 * Why training stops.
 *
 * @useDeclaredType
 */
export type StopKind = (typeof stopKinds)[number];

/** Thrown by a callback to end training in good order; the message goes into `summary.json`. */
export class StopRequest extends Error {
  override readonly name = "StopRequest";
  readonly kind: StopKind;

  constructor(kind: StopKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
