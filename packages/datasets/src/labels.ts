/** Whether these are the labels of two classes: bytes 0 and 1. */
export function areLabels(data: unknown): data is Uint8Array {
  return data instanceof Uint8Array && data.every((label) => label <= 1);
}
