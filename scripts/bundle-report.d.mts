export interface DoorSize {
  readonly name: string
  /** Bytes of gzip -9; null: not held. */
  readonly budget: number | null
  readonly minified: number
  readonly compressed: number
}
/** The door, and the files that it loads later. */
export function measure(door: { readonly name: string; readonly source: string; readonly budget: number | null }): Promise<readonly DoorSize[]>
export function report(): Promise<readonly DoorSize[]>
export function overBudget(sizes: readonly DoorSize[]): readonly DoorSize[]
