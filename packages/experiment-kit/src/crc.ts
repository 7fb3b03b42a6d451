/**
 * The table of a reflected 32-bit cyclic redundancy check.
 *
 * @param polynomial with its bits in reverse: 0xedb88320 for CRC-32 (PNG), 0x82f63b78 for CRC-32C (TFRecord).
 */
export function crcTable(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++)
      remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
    return remainder;
  });
}

/** The check of some bytes, as an unsigned number. */
export function checksum(table: Uint32Array, bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
