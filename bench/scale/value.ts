/** What a column holds. */
export type Value = string | number | Uint8Array | null
export type SideRow = Readonly<Record<string, Value>>
