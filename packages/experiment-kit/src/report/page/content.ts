import { decodeCurves } from "../curve-codec.ts";
import type { Curve, ReportContent } from "../report-data.ts";

/** What a report holds, unpacked. */
export interface UnpackedContent {
  readonly content: ReportContent;
  readonly curves: readonly (readonly Curve[])[];
}

/** The inverse of `packContent`. */
export async function unpackContent(text: string): Promise<UnpackedContent> {
  const inflated = new Blob([fromBase64(text)])
    .stream()
    .pipeThrough(new DecompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(inflated).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const json = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  const content = JSON.parse(json) as ReportContent;
  let start = 4 + length;
  const curves = content.curveBytes.map((size) => {
    const own = bytes.subarray(start, start + size);
    start += size;
    return decodeCurves(own);
  });
  return { content, curves };
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
}
